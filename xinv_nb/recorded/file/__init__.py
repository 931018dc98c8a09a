"""Files of runs: one NumPy archive (`.npz`), read and written without pickle. Format version 2.

The archive is a zip file. Its member `run.json.npy` holds UTF-8 JSON as bytes: `format` and `version`, the run's
`name`, `status`, `ending`, `notices`, `problem`, `chosen_parameters`, `chosen_spans`, `events`, `dropped_events`,
`captions`, `span_captions` and `replay_of` (what another run did otherwise, of which it is a replay), and of the
objective its name, `optimizer`, `leaves` (name, shape, and the flat
positions of the entries kept, or null for all), `labels` (what a package calls the entries of each leaf),
`complex_leaves` (names), `held` (from which evaluation on the objective held other data), `moved_by` (the objectives
that move it by turns), `outline` (the structure that it takes, null at each leaf) and `watches`. The other members are
columns with one row for each evaluation, `loss`, `values`, `gradients` and `accepted`; where a long run was thinned,
`values` and `gradients` have one for each evaluation that is listed in `kept`; and for watch number i
`watch{i}_evaluation`, `watch{i}_values` and `watch{i}_cotangents`, the latter two laid end to end where the `shapes` in
the JSON say so; for number i of the `terms` (names, in the JSON) `term{i}_evaluation` and `term{i}_gradients`, and
for number i of the `slopes` (`name`, and `inside`: the quantities that it is computed from) `slope{i}_evaluation` and
`slope{i}_gradients`; for number i of the quantities `along` the simulation (names, in the JSON) `along{i}_evaluation`
and `along{i}_gradients`, with a row for each part of the way; for the `sums` (in the JSON, the terms that the program's
loss is a sum of) `sums_evaluation` and `sums_values`, with a column for each term. Where residuals were told,
`residuals` has them in the rows of `values`, and `jacobians` the Jacobians at the evaluations that
`jacobian_evaluation` lists, where there are any; for number i of the groups of `data` (`name` and `labels`, in the
JSON) `data{i}_residuals` has a row for each of `values`, and `data{i}_sigma`, where it is known, a number for each data
point; where not all evaluations have a gradient, `without_gradient` lists those that have none. Where `run.identify`
took second derivatives, the JSON holds `curvature` (evaluation, loss, method), and there are members `curvature_scale`,
`curvature_slope`, `curvature_values` and `curvature_vectors`; where `run.diagnose` evaluated the objective again, it
holds `checks`, with `checks_starts`, `checks_points`, `checks_losses` and `checks_ridges`.

Of several `objectives` (their number, in the JSON), the members of the second are prefixed `objective1/`, and so on.
Each of the `events` is a pair: the number of the objective that it belongs to, or null, and the event as it was
recorded; one about a parameter holds its column, and gets its words when it is read.

What JSON has no word for is an object with one key: `{"float": "nan"}`, `{"complex": [re, im]}`, `{"tuple": […]}`,
`{"dict": [[key, value], …]}`, `{"array": […], "dtype": …}`. Any other object of an event is kept as its text.

Version 1, which is read as well (see `version1`), held the events of each objective in its own JSON, in words.
"""
