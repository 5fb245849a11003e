"""The learnt policy: proposes in shadow, is judged there, and acts only when asked and while it deserves to."""
