"""What is minimised, each as a pure `init` and `step`, chosen by `Experiment.objective`.

To add one, write a file here with a frozen dataclass and a function that builds it, and give it a line in `OBJECTIVES`:

    @dataclass(frozen=True)
    class Contrastive:
        def init(self, key, batch, variables=None) -> TrainState: ...
        def step(self, state, batch, axis=None) -> tuple[TrainState, dict[str, jax.Array]]: ...

    def build(run: Run, *, temperature: float = 0.1, projector: str | None = None) -> Contrastive: ...

The keyword arguments of `build` are what a configuration may set: `Objective("contrastive", {"temperature": 0.2})`, or
`objective.name=contrastive objective.arguments.temperature=0.2` on the command line. Unknown names and wrong types are refused by the
annotations; `build` checks the ranges. `Run` holds what every objective can use: the network, its optimiser, the degradation, the whole
configuration (`run.config.loss`, ...).

- `batch` holds "image" (N, H, W, C) as stored (`supervised.as_float` makes it a float in [0, 1]), "index" (N,), the place of each image in
  the stream, "degraded" for pairs and unpaired folders, and "label" (N,) for folders of classes; videos bring "video" (N, T, H, W, C) in
  place of "image". Draw each image's randomness from `fold_in(state.key, index)`, what belongs to
  the step from `fold_in(fold_in(state.key, SALT), state.step)` with a salt near 2**32; `state.key` itself stays.
- `state.params` and `state.batch_stats` are the restorer's: the network that is averaged (`ema`), validated and exported, and that
  `transfer` fills. Whatever else lives on (partners' parameters, statistics and optimisers, pools of images, levels' shares) goes into
  `state.extra`, any nested dictionary of arrays; checkpoints keep it.
- Under `axis` the batch is this device's part and the state is the same everywhere: average gradients, metrics and whatever enters the
  state over it (`lax.pmean`), gather what must be seen whole (`lax.all_gather`). With `axis=None` nothing of this is needed.
- `networks.py` has `apply_training`, which runs a network as training does, and `Partner`, one that learns beside the restorer.
- `step` adds one to `state.step`, whatever it does inside, and gives metrics as scalars; one that is not finite stops the run.

Two more methods are used where an objective has them:

- `restore(variables, degraded) -> restored`: how validation restores a batch, where that is not `model.apply(variables, degraded)`.
- `validated(state, clean) -> (state, metrics)`: called after each validation with its clean images, outside of compiled code.
"""

from collections.abc import Mapping
from types import MappingProxyType

OBJECTIVES: Mapping[str, str] = MappingProxyType(
    {
        "adversarial": "jaxrestore.training.objectives.adversarial",
        "autoregressive": "jaxrestore.training.objectives.autoregressive",
        "blind_spot": "jaxrestore.training.objectives.blind_spot",
        "cycle": "jaxrestore.training.objectives.cycle",
        "diffusion_prior": "jaxrestore.training.objectives.diffusion_prior",
        "multi_task": "jaxrestore.training.objectives.multi_task",
        "neighbor2neighbor": "jaxrestore.training.objectives.neighbor2neighbor",
        "noise2noise": "jaxrestore.training.objectives.noise2noise",
        "noise2self": "jaxrestore.training.objectives.noise2self",
        "noise2void": "jaxrestore.training.objectives.noise2void",
        "noise_level": "jaxrestore.training.objectives.noise_level",
        "on_demand": "jaxrestore.training.objectives.on_demand",
        "supervised": "jaxrestore.training.objectives.supervised",
        "variational": "jaxrestore.training.objectives.variational",
        "video": "jaxrestore.training.objectives.video",
        "video_game": "jaxrestore.training.objectives.video_game",
    }
)
"""name -> module; a module is imported only when its objective is built."""
