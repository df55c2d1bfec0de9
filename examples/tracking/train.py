"""Trains a classifier on the iris data, logs it, registers it and loads it back: train.py [EXPERIMENT [MODEL]].

Written for every mlflow from 1.30 on: the few calls that changed between the versions stand in `VERSION_1`. Where the server
and the store are, and who asks, comes from the environment: MLFLOW_TRACKING_URI, MLFLOW_S3_ENDPOINT_URL, AWS_ACCESS_KEY_ID,
AWS_SECRET_ACCESS_KEY.
"""

import sys
import warnings

import mlflow
import mlflow.sklearn
import numpy
from mlflow.tracking import MlflowClient
from sklearn.datasets import load_iris
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import accuracy_score, f1_score, log_loss
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

warnings.simplefilter("ignore")
VERSION_1 = mlflow.__version__.startswith("1.")
EXPERIMENT = sys.argv[1] if len(sys.argv) > 1 else "iris"
MODEL = sys.argv[2] if len(sys.argv) > 2 else "iris"
PARAMETERS = {"alpha": 0.0001, "epochs": 20, "penalty": "l2"}


def train(inputs, labels, test_inputs, test_labels):
    model = SGDClassifier(loss="log_loss", alpha=PARAMETERS["alpha"], penalty=PARAMETERS["penalty"], random_state=0)
    for epoch in range(PARAMETERS["epochs"]):
        model.partial_fit(inputs, labels, classes=numpy.unique(labels))
        answers = model.predict(test_inputs)
        mlflow.log_metrics(
            {
                "loss": log_loss(test_labels, model.predict_proba(test_inputs)),
                "accuracy": accuracy_score(test_labels, answers),
                "f1-score": f1_score(test_labels, answers, average="macro"),
            },
            step=epoch)
    return model


def promote(client, version):
    """Marks the version as the one to use, in the words of the client's time, and returns where it is loaded from."""
    if VERSION_1:
        client.transition_model_version_stage(MODEL, version, "Production", archive_existing_versions=True)
        return f"models:/{MODEL}/Production"
    client.set_registered_model_alias(MODEL, "champion", version)
    return f"models:/{MODEL}@champion"


def main():
    data = load_iris()
    inputs, test_inputs, labels, test_labels = train_test_split(
        StandardScaler().fit_transform(data.data), data.target, test_size=0.3, random_state=0)
    mlflow.set_experiment(EXPERIMENT)
    with mlflow.start_run(run_name=f"mlflow {mlflow.__version__}") as run:
        mlflow.log_params(PARAMETERS)
        mlflow.set_tag("data", "iris")
        model = train(inputs, labels, test_inputs, test_labels)
        mlflow.log_text("\n".join(data.feature_names), "features.txt")
        place = {"artifact_path": "model"} if VERSION_1 else {"name": "model", "serialization_format": "pickle"}
        mlflow.sklearn.log_model(model, registered_model_name=MODEL, **place)

    client = MlflowClient()
    found = client.get_run(run.info.run_id)
    version = max(int(v.version) for v in client.search_model_versions(f"name = '{MODEL}'"))
    loaded = mlflow.sklearn.load_model(promote(client, str(version)))
    answers = loaded.predict(test_inputs)
    assert (answers == model.predict(test_inputs)).all(), "the model that came back is another one"
    best = mlflow.search_runs([found.info.experiment_id], order_by=["metrics.accuracy DESC"])
    print(f"client      mlflow {mlflow.__version__}")
    print(f"run         {run.info.run_id}, {found.info.status}, {len(client.get_metric_history(run.info.run_id, 'loss'))} losses")
    print(f"artifacts   {run.info.artifact_uri}")
    print(f"model       {MODEL} version {version}, loaded back: accuracy {accuracy_score(test_labels, answers):.3f}")
    print(f"experiment  {EXPERIMENT}: {len(best)} runs, best accuracy {best['metrics.accuracy'][0]:.3f}")


if __name__ == "__main__":
    main()
