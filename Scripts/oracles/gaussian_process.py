"""Reference numbers for Tests/FusionSearchTests/GaussianProcessTests.swift.

A Gaussian process with a Matern 5/2 kernel on three points of the plane, by NumPy's own solver:
    python3 Scripts/oracles/gaussian_process.py
"""

import numpy as np

points = np.array([[-0.5, 0.2], [0.3, -0.7], [0.9, 0.4]])
values = np.array([1.0, -0.4, 0.3])
noise_scales = np.array([1.0, 2.0, 0.5])
log_scales = np.log(np.array([0.8, 1.5]))
log_signal, log_noise = np.log(1.7), np.log(0.05)


def kernel(a, b, log_scales, log_signal):
    scaled = (a[:, None, :] - b[None, :, :]) / np.exp(log_scales)
    r = np.sqrt(5 * (scaled**2).sum(-1))
    return np.exp(log_signal) * (1 + r + r**2 / 3) * np.exp(-r)


def likelihood(theta):
    matrix = kernel(points, points, theta[:2], theta[2])
    matrix = matrix + np.diag(np.exp(theta[3]) * noise_scales)
    _, log_determinant = np.linalg.slogdet(matrix)
    fit = values @ np.linalg.solve(matrix, values)
    return -0.5 * (fit + log_determinant + len(values) * np.log(2 * np.pi))


theta = np.array([*log_scales, log_signal, log_noise])
matrix = kernel(points, points, log_scales, log_signal) + np.diag(
    np.exp(log_noise) * noise_scales
)
for x in ([0.0, 0.0], [0.9, 0.4]):
    cross = kernel(points, np.array([x]), log_scales, log_signal)[:, 0]
    mean = cross @ np.linalg.solve(matrix, values)
    variance = np.exp(log_signal) - cross @ np.linalg.solve(matrix, cross)
    print("posterior at", x, repr(mean), repr(variance))
print("log marginal likelihood", repr(likelihood(theta)))
steps = 1e-5 * np.eye(4)
print(
    "its central differences",
    [float((likelihood(theta + s) - likelihood(theta - s)) / 2e-5) for s in steps],
)
