"""Score a table of flowers by the model that is shipped beside this script."""

import csv
import os
import pickle
from pathlib import Path

import matplotlib.pyplot as plt

COLUMNS = ["sepal_length", "sepal_width", "petal_length", "petal_width"]

with open(os.environ["input_flowers"], newline="") as file:
    flowers = [[float(row[column]) for column in COLUMNS] for row in csv.DictReader(file)]

progress = Path(os.environ["progress_file"])
progress.write_text("0.2 loading the model")
model = pickle.loads(Path("model.pkl").read_bytes())
progress.write_text("0.5 scoring")
probabilities = model.predict_proba(flowers)
best = probabilities.max(axis=1)
least = float(os.environ["param_least"])
species = ["unsure" if sure < least else model.classes_[row.argmax()] for row, sure in zip(probabilities, best)]

with open(os.environ["output_scores"], "w", newline="") as file:
    table = csv.writer(file, lineterminator="\n")
    table.writerow(["species", *model.classes_])
    table.writerows([name, *(f"{value:.4f}" for value in row)] for name, row in zip(species, probabilities))

figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
axes.hist(best, bins=20, range=(0, 1), color="steelblue")
axes.axvline(least, color="black", linestyle="--")
axes.set(xlabel="Probability of the likeliest species", ylabel="Flowers")
figure.savefig(os.environ["output_plot"], dpi=100)
