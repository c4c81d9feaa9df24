"""Train the model, and write it to model.pkl beside this file. Run it with the Python that will load it."""

import pickle
from pathlib import Path

from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

flowers = load_iris()
model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
accuracy = cross_val_score(model, flowers.data, flowers.target, cv=5).mean()
model.fit(flowers.data, flowers.target_names[flowers.target])
Path(__file__).with_name("model.pkl").write_bytes(pickle.dumps(model))
print(f"accuracy in cross-validation: {accuracy:.2f}")
