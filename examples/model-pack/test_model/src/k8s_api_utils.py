"""Helpers of the model. Data files are opened relative to the source folder, where the service predicts."""

import csv
import os

FOLDER = os.path.dirname(os.path.abspath(__file__))


def names():
    """What the ten digits are called."""
    with open(os.path.join(FOLDER, "data", "digit_names.csv"), encoding="utf-8", newline="") as file:
        return [row[1] for row in csv.reader(file)]


def scaled(images):
    """Pixels of the digits data go from 0 to 16."""
    return images / 16
