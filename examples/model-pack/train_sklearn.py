"""Trains a classifier of scikit-learn on its breast cancer data and packs it as DATE.zip.

    train_sklearn.py TREES OUT/DATE.zip
"""

import pathlib
import sys
import tempfile
import zipfile

import joblib
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split


def main():
    trees, out = int(sys.argv[1]), pathlib.Path(sys.argv[2])
    data, target = load_breast_cancer(return_X_y=True)
    rows, test_rows, labels, test_labels = train_test_split(data, target, test_size=0.25, random_state=0)
    model = RandomForestClassifier(n_estimators=trees, max_depth=4, random_state=0).fit(rows, labels)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "test_model_sci.pkl"
        joblib.dump(model, file)
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(file, file.name)
    print(f"{out.name}: {trees} trees, {len(test_rows)} test rows, accuracy {model.score(test_rows, test_labels):.3f}")


if __name__ == "__main__":
    main()
