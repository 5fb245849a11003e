"""What happens to blocks between ticks: tiers, freezing, prediction, layout."""
