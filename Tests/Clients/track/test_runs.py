"""Experiments and runs through the mlflow client."""

import math
import time

import mlflow
import pytest
from mlflow.entities import Metric, Param, RunTag, ViewType
from mlflow.exceptions import MlflowException


def test_a_run_keeps_what_is_logged(client, experiment):
    with mlflow.start_run(run_name="first", description="why") as run:
        mlflow.log_param("lr", 0.1)
        mlflow.log_params({"layers": 3, "kind": "x" * 500})
        for step in range(5):
            mlflow.log_metric("loss", 1 / (step + 1), step=step)
        mlflow.log_metrics({"acc": 0.5, "nan": float("nan"), "inf": float("inf"), "ninf": -float("inf")})
        mlflow.set_tags({"team": "a", "mlflow.user": "me"})
    data = client.get_run(run.info.run_id).data
    assert data.params == {"lr": "0.1", "layers": "3", "kind": "x" * 500}
    assert data.metrics["loss"] == 0.2 and data.metrics["acc"] == 0.5
    assert math.isnan(data.metrics["nan"])
    assert data.metrics["inf"] == 1.7976931348623157e308 and data.metrics["ninf"] == -1.7976931348623157e308
    assert data.tags["team"] == "a" and data.tags["mlflow.runName"] == "first"
    info = client.get_run(run.info.run_id).info
    assert info.status == "FINISHED" and info.end_time >= info.start_time
    history = client.get_metric_history(run.info.run_id, "loss")
    assert [(p.step, p.value) for p in history] == [(s, 1 / (s + 1)) for s in range(5)]


def test_nested_runs_and_names(client, experiment):
    with mlflow.start_run() as parent:
        with mlflow.start_run(nested=True) as child:
            mlflow.log_metric("m", 1)
    assert client.get_run(child.info.run_id).data.tags["mlflow.parentRunId"] == parent.info.run_id
    assert parent.info.run_name
    client.update_run(parent.info.run_id, name="renamed")
    run = client.get_run(parent.info.run_id)
    assert run.info.run_name == "renamed" and run.data.tags["mlflow.runName"] == "renamed"
    client.set_tag(parent.info.run_id, "mlflow.runName", "by tag")
    assert client.get_run(parent.info.run_id).info.run_name == "by tag"


def test_batches_are_idempotent(client, experiment):
    run_id = client.create_run(experiment).info.run_id
    metrics = [Metric("m", value=i, timestamp=i, step=i) for i in range(1000)]
    for _ in range(3):
        client.log_batch(run_id, metrics=metrics)
    assert len(client.get_metric_history(run_id, "m")) == 1000
    assert client.get_run(run_id).data.metrics == {"m": 999.0}
    client.log_batch(run_id, metrics=[Metric("m", value=-1, timestamp=5, step=5)])
    assert client.get_run(run_id).data.metrics == {"m": 999.0}, "an older step is not the latest"
    client.log_batch(run_id, params=[Param("p", "1")], tags=[RunTag("t", "1")])
    client.log_batch(run_id, params=[Param("p", "1")], tags=[RunTag("t", "2")])
    with pytest.raises(MlflowException, match="Changing param values is not allowed"):
        client.log_batch(run_id, params=[Param("p", "2")], tags=[RunTag("t", "3")])
    data = client.get_run(run_id).data
    assert data.params == {"p": "1"} and data.tags["t"] == "2", "a refused batch leaves nothing behind"


def test_search_filters_and_orders(client, experiment):
    for index in range(10):
        run = client.create_run(experiment, run_name=f"run-{index}", start_time=1000 + index)
        client.log_batch(
            run.info.run_id,
            metrics=[Metric("m", float(index) if index else float("nan"), 1, 0)],
            params=[Param("p", f"v{index % 3}")], tags=[RunTag("a.b", f"T{index}")])

    def names(filter_string="", order_by=("attributes.start_time ASC",), **more):
        return [int(r.info.run_name[4:]) for r in client.search_runs([experiment], filter_string, order_by=list(order_by), **more)]

    assert names() == list(range(10))
    assert names("metrics.m >= 7") == [7, 8, 9]
    assert names("metrics.m < 3 and params.p = 'v1'") == [1]
    assert names("params.p != 'v0' AND metrics.m <= 4.5") == [1, 2, 4]
    assert names("tags.`a.b` = 'T3'") == [3]
    assert names('tags."a.b" LIKE \'T%\' and tags."a.b" ILIKE \'t4\'') == [4]
    assert names("tags.`a.b` LIKE 't%'") == []
    assert names("run_name = 'run-5'") == [5]
    assert names("attributes.start_time > 1007 and status = 'RUNNING'") == [8, 9]
    assert names("tags.missing IS NULL", max_results=2) == [0, 1]
    assert names("params.p IS NOT NULL and params.p ILIKE 'V2'") == [2, 5, 8]
    ids = [r.info.run_id for r in client.search_runs([experiment], order_by=["start_time ASC"])][:2]
    assert names(f"run_id IN ('{ids[0]}', '{ids[1]}')") == [0, 1]
    assert names(order_by=["metrics.m DESC"]) == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0], "NaN comes last"
    assert names(order_by=["metrics.m ASC"]) == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0]
    assert names(order_by=["params.p DESC", "attribute.start_time DESC"]) == [8, 5, 2, 7, 4, 1, 9, 6, 3, 0]


def test_pages_are_stable_while_runs_arrive(client, experiment):
    for index in range(7):
        client.create_run(experiment, run_name=str(index), start_time=1000 + index)
    seen, token = [], None
    while True:
        page = client.search_runs([experiment], max_results=3, page_token=token)
        seen += [r.info.run_name for r in page]
        token = page.token
        if not token:
            break
        client.create_run(experiment, run_name="late", start_time=10**6)
    assert seen == ["6", "5", "4", "3", "2", "1", "0"]


def test_delete_and_restore(client, experiment):
    kept = client.create_run(experiment).info.run_id
    gone = client.create_run(experiment).info.run_id
    client.delete_run(gone)
    assert [r.info.run_id for r in client.search_runs([experiment])] == [kept]
    assert [r.info.run_id for r in client.search_runs([experiment], run_view_type=ViewType.DELETED_ONLY)] == [gone]
    with pytest.raises(MlflowException, match="must be in the 'active' state"):
        client.log_metric(gone, "m", 1)
    client.delete_experiment(experiment)
    assert client.get_run(kept).info.lifecycle_stage == "deleted", "children go with their experiment"
    client.restore_experiment(experiment)
    assert client.get_run(kept).info.lifecycle_stage == "active"
    assert client.get_run(gone).info.lifecycle_stage == "deleted", "what was deleted before stays deleted"
    client.restore_run(gone)
    assert len(client.search_runs([experiment])) == 2


def test_experiments(client):
    name = f"x{time.time_ns():x}"
    experiment = client.create_experiment(name, tags={"kind": name})
    assert client.get_experiment(experiment).tags == {"kind": name}
    assert [e.name for e in client.search_experiments(filter_string=f"tags.kind = '{name}'")] == [name]
    client.set_experiment_tag(experiment, "other", "1")
    client.delete_experiment_tag(experiment, "other")
    client.rename_experiment(experiment, name + "2")
    assert client.get_experiment_by_name(name) is None
    assert client.get_experiment_by_name(name + "2").experiment_id == experiment
    with pytest.raises(MlflowException, match="already exists") as caught:
        client.create_experiment(name + "2")
    assert caught.value.error_code == "RESOURCE_ALREADY_EXISTS"


def test_datasets(client, experiment):
    import pandas

    with mlflow.start_run() as run:
        data = mlflow.data.from_pandas(pandas.DataFrame({"a": [1, 2]}), name="rows")
        mlflow.log_input(data, context="training")
    inputs = client.get_run(run.info.run_id).inputs.dataset_inputs
    assert inputs[0].dataset.name == "rows" and inputs[0].tags[0].value == "training"
    found = client.search_runs([experiment], "dataset.name = 'rows' and dataset.context = 'training'")
    assert [r.info.run_id for r in found] == [run.info.run_id]


def test_a_restart_keeps_everything(tmp_path):
    import track_roles

    role = track_roles.track_role(tmp_path).start()
    client = mlflow.MlflowClient(role.url)
    run = client.create_run("0")
    client.log_metric(run.info.run_id, "m", 3)
    role.stop(kill=True)
    again = track_roles.track_role(tmp_path, port=role.port).start()
    assert client.get_run(run.info.run_id).data.metrics == {"m": 3.0}
    again.stop()
