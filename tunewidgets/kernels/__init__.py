"""Everything that computes: functions of a model and data, out of which come records. No view is imported here.

A public function stands in the room of what it puts together. The rooms, in the order in which they build on one
another:

- `studies`: long computations, side by side, on other machines, kept on disk and resumed
- `canvas`: what an image is made of while it is optimized, its colors, and how it is moved about
- `network`: a network up to a layer (`Probe`), its table of `layers`, watched, captured, or with one layer changed
- `network_graph`: a network up to a layer as plain operations that a page runs without Python (`network_record`)
- `data`: what a user gives, as batches; what is sampled of it, as vectors
- `optimization`: what images are scored by (`AM`, `IAM`, `Neuron`, `Direction`), and the loop that makes them
  (`visualize`)
- `single_units`: selectivity, representative substitution, ablation, exemplars, and all of them (`analyze_units`)
- `tuning`: decompositions of sampled activations (`TuningDimensions`), and films along what they find (`render_film`)
- `reading`: what pictures show, to an eye that knows nothing of the network
- `gabor`: banks whose tuning is known, what is recovered of it (`gabor_recovery`), and what chance would find
- `dissection`: units and dimensions against labels and masks that people gave (`concepts`)
- `readability`: whether what is read in images is there: trials for people and machines (`add_trials`), and scores
  (`readability`)
- `live`: images that are made while a reader looks
- `device_check`: whether a machine and device compute what they should (`check`)
"""
