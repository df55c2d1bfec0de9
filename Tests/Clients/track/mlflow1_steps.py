"""What a program written for mlflow 1.30 does; run with that version's interpreter: mlflow1_steps.py URL FOLDER."""

import os
import sys

import mlflow
import numpy
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from sklearn.linear_model import LogisticRegression

url, folder = sys.argv[1:3]
assert mlflow.__version__.startswith("1.30"), mlflow.__version__
mlflow.set_tracking_uri(url)
client = MlflowClient(url)
points = numpy.array([[0.0], [1.0], [2.0], [3.0]])


class Echo(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input):
        return model_input


experiment = mlflow.set_experiment("old client")
assert experiment.name in [e.name for e in client.list_experiments()]
assert client.get_experiment_by_name("old client").experiment_id == experiment.experiment_id
client.set_experiment_tag(experiment.experiment_id, "k", "v")
with mlflow.start_run(run_name="old") as run:
    mlflow.log_param("lr", 0.1)
    mlflow.log_metric("loss", 0.5, step=1)
    mlflow.set_tag("t", "1")
    mlflow.log_text("hello", "notes/a.txt")
    mlflow.sklearn.log_model(LogisticRegression().fit(points, [0, 0, 1, 1]), "model", registered_model_name="old-model")
    mlflow.pyfunc.log_model("echo", python_model=Echo(), registered_model_name="old-model")
run_id = run.info.run_id
client.log_batch(run_id, [Metric("loss", 0.25, 2, 2)], [Param("p", "q")], [RunTag("u", "w")])
data = client.get_run(run_id).data
assert data.metrics["loss"] == 0.25 and data.params == {"lr": "0.1", "p": "q"} and data.tags["u"] == "w"
assert {p.value for p in client.get_metric_history(run_id, "loss")} == {0.5, 0.25}
assert {f.path for f in client.list_artifacts(run_id)} == {"notes", "model", "echo"}
assert open(client.download_artifacts(run_id, "notes/a.txt", folder)).read() == "hello"
assert [r.info.run_id for r in client.search_runs([experiment.experiment_id], "params.p = 'q'")] == [run_id]
assert len(mlflow.search_runs([experiment.experiment_id])) == 1

assert {m.name for m in client.list_registered_models()} == {"old-model"}
assert [m.name for m in client.search_registered_models("name = 'old-model'")] == ["old-model"]
client.update_registered_model("old-model", "described")
client.set_registered_model_tag("old-model", "a", "b")
client.set_model_version_tag("old-model", "1", "c", "d")
version = client.transition_model_version_stage("old-model", "1", "Production")
assert version.current_stage == "Production" and version.run_id == run_id
assert [v.version for v in client.get_latest_versions("old-model", ["Production"])] == ["1"]
assert {v.version for v in client.search_model_versions("name = 'old-model'")} == {"1", "2"}
assert client.get_model_version_download_uri("old-model", "1").endswith("/model")
assert mlflow.sklearn.load_model("models:/old-model/Production").predict(points).tolist() == [0, 0, 1, 1]
assert mlflow.pyfunc.load_model("models:/old-model/2").predict(points).tolist() == points.tolist()
client.delete_registered_model_tag("old-model", "a")
client.delete_model_version_tag("old-model", "1", "c")
client.delete_model_version("old-model", "2")
client.rename_registered_model("old-model", "older-model")
client.delete_registered_model("older-model")
client.delete_run(run_id)
client.restore_run(run_id)
client.delete_experiment(experiment.experiment_id)
client.restore_experiment(experiment.experiment_id)
try:
    client.get_run("0" * 32)
    raise AssertionError("an unknown run was found")
except MlflowException as error:
    assert error.error_code == "RESOURCE_DOES_NOT_EXIST"
print("ok", os.path.basename(__file__))
