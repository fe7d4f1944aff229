"""Reference numbers for Tests/RewardFittingTests/RewardFitTests.swift.

Least squares with errors clustered by user (CR1), pooled and within users, by NumPy's own solver, on
120 sessions of 12 users whose numbers follow from integer arithmetic:
    python3 Scripts/oracles/reward_regression.py
"""

import numpy as np

sessions = np.arange(120)
user = sessions // 10
click = (sessions * 7) % 11
like = (sessions * 5 + user) % 3
play = ((sessions * 13 + 3 * user) % 17) / 4
shown = 1 + (sessions * 3) % 8
after = click / 2 + user + ((sessions * 29) % 23) / 8

X = np.column_stack([click, like, np.log1p(play), np.log(shown)]).astype(float)
y = np.log1p(after)


def fit(X, y, fixed_effects):
    means = np.zeros_like(X), np.zeros_like(y)
    for rows in [user == u for u in range(12)] if fixed_effects else [user >= 0]:
        means[0][rows], means[1][rows] = X[rows].mean(0), y[rows].mean()
    X, y = X - means[0], y - means[1]
    b = np.linalg.lstsq(X, y, rcond=None)[0]
    e = y - X @ b
    inverse = np.linalg.inv(X.T @ X)
    scores = np.array([X[user == u].T @ e[user == u] for u in range(12)])
    n, p, g = len(y), X.shape[1], 12
    correction = g / (g - 1) * (n - 1) / (n - p - 1)
    covariance = correction * inverse @ scores.T @ scores @ inverse
    scaled = X / np.linalg.norm(X, axis=0)
    singular = np.linalg.svd(scaled, compute_uv=False)
    print("fixed effects" if fixed_effects else "pooled")
    print("  slopes", b.tolist())
    print("  errors", np.sqrt(np.diag(covariance)).tolist())
    print("  inflation", np.diag(np.linalg.inv(scaled.T @ scaled)).tolist())
    print("  R2", float(1 - e @ e / (y @ y)), "condition", float(singular[0] / singular[-1]))


fit(X, y, False)
fit(X, y, True)
