"""Train ResNet-18 on MNIST for one epoch; log to the tracking server; put the weights into the object store."""

import io
import json
import os
import time

import boto3
import mlflow
import torch
from torch.nn.functional import cross_entropy

import mnist
from resnet import ResNet18

IMAGES = int(os.environ.get("DEMO_IMAGES", "50000"))
BATCH = 128
PEAK_RATE = 0.01


def main():
    torch.manual_seed(1)
    torch.set_num_threads(int(os.environ.get("DEMO_THREADS", os.cpu_count())))
    images, labels = (torch.from_numpy(array[:IMAGES]) for array in mnist.load("train"))
    model = ResNet18().to(memory_format=torch.channels_last)
    steps = -(-len(images) // BATCH)
    optimizer = torch.optim.AdamW(model.parameters(), lr=PEAK_RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_RATE, total_steps=steps)

    mlflow.set_experiment("mnist")
    with mlflow.start_run(run_name="resnet18") as run:
        mlflow.log_params({"model": "ResNet-18", "images": len(images), "batch": BATCH, "epochs": 1, "peak_rate": PEAK_RATE})
        started = time.monotonic()
        order = torch.randperm(len(images))
        for step in range(steps):
            batch = order[step * BATCH:(step + 1) * BATCH]
            x = images[batch].contiguous(memory_format=torch.channels_last)
            loss = cross_entropy(model(x), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            if step % 10 == 0 or step == steps - 1:
                mlflow.log_metrics({"loss": loss.item(), "rate": schedule.get_last_lr()[0]}, step=step)
            if step % 50 == 0 or step == steps - 1:
                seconds = time.monotonic() - started
                print(f"step {step + 1}/{steps}  loss {loss.item():.4f}  {(step + 1) * BATCH / seconds:.0f} images/s", flush=True)
        mlflow.log_metric("train_seconds", time.monotonic() - started)

        model.eval()
        test_images, test_labels = (torch.from_numpy(array) for array in mnist.load("test"))
        with torch.inference_mode():
            correct = sum(
                (model(x).argmax(1) == y).sum().item()
                for x, y in zip(test_images.split(500), test_labels.split(500)))
        accuracy = correct / len(test_images)
        mlflow.log_metric("test_accuracy", accuracy)
        print(f"test accuracy {accuracy:.4f}", flush=True)

        weights = io.BytesIO()
        torch.save(model.state_dict(), weights)
        store = boto3.client("s3", endpoint_url=os.environ["MLFLOW_S3_ENDPOINT_URL"])
        if "training" not in [bucket["Name"] for bucket in store.list_buckets()["Buckets"]]:
            store.create_bucket(Bucket="training")
        key = f"resnet18/{run.info.run_id}.pt"
        store.put_object(Bucket="training", Key=key, Body=weights.getvalue(), Metadata={"run-id": run.info.run_id})
        # Which workflow, step and pod made the run is in its tags already: the cluster tells MLflow. This is what it wrote.
        mlflow.set_tag("slipway.objects", f"s3://training/{key}")
        mlflow.log_dict({"bucket": "training", "key": key}, "weights.json")
        print(f"weights in s3://training/{key}", flush=True)

    os.makedirs("/outputs", exist_ok=True)
    with open("/outputs/trained.json", "w") as file:
        json.dump({"run_id": run.info.run_id, "bucket": "training", "key": key, "accuracy": accuracy}, file)


if __name__ == "__main__":
    main()
