"""What TensorBoard's own reader makes of recorded runs."""

from pathlib import Path

from lightning.pytorch.loggers import TensorBoardLogger
from tensorboard import context
from tensorboard.backend.event_processing.data_provider import MultiplexerDataProvider
from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
from tensorboard.plugins.base_plugin import TBContext
from tensorboard.plugins.hparams import api_pb2, get_experiment, list_session_groups
from tensorboard.plugins.hparams.backend_context import Context

from slu.training.recording import record

RUNS = {
    "0": ({"model": {"_target_": "m1", "strides": [2, 2]}, "seed": 1}, {"val/objective": 0.25, "val/clean/loss": 1.5}),
    "1": ({"model": {"_target_": "gru", "hidden": 32}, "seed": 1}, {"val/objective": 0.75, "val/clean/loss": 0.5}),
}


def test_the_table_of_a_grid_has_the_settings_of_every_model_beside_the_best_metrics(tmp_path: Path) -> None:
    for name, (settings, best) in RUNS.items():
        logger = TensorBoardLogger(tmp_path / name, "tensorboard", "", default_hp_metric=False)
        logger.log_metrics({"train/loss": 3.0}, 1)
        record([logger], settings, best, {}, {}, 16_000)

    events = EventMultiplexer()
    events.AddRunsFromDirectory(str(tmp_path))
    events.Reload()
    plugin = Context(TBContext(data_provider=MultiplexerDataProvider(events, str(tmp_path)), logdir=str(tmp_path)))
    asked = context.RequestContext()
    columns = get_experiment.Handler(asked, plugin, "", api_pb2.GetExperimentRequest()).run()
    assert {h.name for h in columns.hparam_infos} == {"model._target_", "model.strides", "model.hidden", "seed"}
    assert {m.name.tag for m in columns.metric_infos} == {"best/objective", "best/clean/loss"}
    request = api_pb2.ListSessionGroupsRequest(slice_size=9, allowed_statuses=[api_pb2.STATUS_SUCCESS])
    rows = list_session_groups.Handler(asked, plugin, "", request).run().session_groups
    found = {
        row.hparams["model._target_"].string_value: {m.name.tag: m.value for m in row.metric_values} for row in rows
    }
    assert found == {
        "m1": {"best/objective": 0.25, "best/clean/loss": 1.5},
        "gru": {"best/objective": 0.75, "best/clean/loss": 0.5},
    }
