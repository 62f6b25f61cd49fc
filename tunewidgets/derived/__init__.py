"""What follows from a record alone: for kernels and views alike. Knows neither, and no torch.

- `unit_columns`, `unit_axes`: what can be said of units, and the axes that spread them
- `shown_images`, `interesting_unit`: which of a unit's images is shown, and which unit first
- `film_space`, `film_text`: the space that a film's dimensions span, and what is said of them
- `recovery_marks`, `recovery_all_three`, `recovery_text`: which attributes of a bank were recovered, and by what rule
- `statistics`, `pictures`: rank correlations and intervals; arrays as encoded images
- `whole_files`: files that are written whole or not at all
- `picture_files`: picture files opened, or named in a sentence where they can't be
"""
