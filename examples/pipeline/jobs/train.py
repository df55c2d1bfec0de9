"""Train ResNet-18 on MNIST for one epoch on the CPU and keep the weights on the volume."""

import json
import os
import time

import torch
from torch.nn.functional import cross_entropy

import mnist
from resnet import ResNet18

FOLDER = os.environ.get("MODEL_LOG", "/model-log")
IMAGES = int(os.environ.get("TRAIN_IMAGES", "50000"))
BATCH = 64
PEAK_RATE = 0.005


def main():
    torch.manual_seed(1)
    images, labels = (torch.from_numpy(array[:IMAGES]) for array in mnist.load("train"))
    test_images, test_labels = (torch.from_numpy(array) for array in mnist.load("test"))
    model = ResNet18()
    steps = -(-len(images) // BATCH)
    optimizer = torch.optim.AdamW(model.parameters(), lr=PEAK_RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_RATE, total_steps=steps)
    os.makedirs(f"{FOLDER}/logs", exist_ok=True)
    log = open(f"{FOLDER}/logs/train.log", "w")

    def say(text):
        print(text, flush=True)
        print(text, file=log, flush=True)

    say(f"epoch 1/1: {len(images)} images, {steps} steps of {BATCH}")
    started = time.monotonic()
    order = torch.randperm(len(images))
    for step in range(steps):
        batch = order[step * BATCH:(step + 1) * BATCH]
        loss = cross_entropy(model(images[batch]), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % 50 == 49 or step == steps - 1:
            say(f"step {step + 1}/{steps}  loss {loss.item():.4f}")
    seconds = time.monotonic() - started

    model.eval()
    with torch.inference_mode():
        right = sum((model(x).argmax(1) == y).sum().item() for x, y in zip(test_images.split(500), test_labels.split(500)))
    accuracy = right / len(test_images)
    os.makedirs(f"{FOLDER}/model", exist_ok=True)
    torch.save(model.state_dict(), f"{FOLDER}/model/resnet18_mnist.pt")
    with open(f"{FOLDER}/model/metrics.json", "w") as file:
        json.dump({"images": len(images), "seconds": seconds, "test_accuracy": accuracy}, file)
    say(f"trained in {seconds:.1f} s, test accuracy {accuracy:.4f}; weights in {FOLDER}/model/resnet18_mnist.pt")


if __name__ == "__main__":
    main()
