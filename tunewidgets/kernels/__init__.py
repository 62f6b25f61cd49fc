"""Everything that computes: functions of a model and data, out of which come records. No view is imported here.

The modules beside this file are the doors, one for each public function and for what all share (`probe`, `canvas`,
`jitter`). Behind them are rooms, in the order in which they build on one another:

- `studies`: long computations, side by side, on other machines, kept on disk and resumed
- `network`: running a network, stopped at a layer, watched, captured, or with one layer changed
- `data`: what a user gives, as batches; what is sampled of it, as vectors
- `optimization`: what images are scored by, how a run is set up, and the loop that makes them
- `single_units`: the measures that `units` puts together
- `tuning`: decompositions, and points and places along what they find
- `reading`: what pictures show, to an eye that knows nothing of the network
- `gabor`: banks whose tuning is known, and what chance would find in them
- `dissection`: units and dimensions against labels and masks that people gave
- `live`: images that are made while a reader looks
"""
