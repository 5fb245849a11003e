"""What is odd about the machine, in a sentence: charts, relations between sensors, an autoencoder, a budget."""
