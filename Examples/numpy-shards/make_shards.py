#!/usr/bin/env python3
"""Writes a folder of trajectory shards from NumPy arrays: transitions that someone already has.

    python3 make_shards.py FOLDER [SESSIONS [SEED]]

The data is a small problem with a known answer: the state is one number s, the reward of an action
a is 1 - (a - s/2)^2, and a session goes on the likelier the larger it is. The best action is s/2.
Needs numpy and safetensors (Scripts/make-python.sh installs both into .deps/python).
"""
import json
import pathlib
import sys

import numpy as np
from safetensors.numpy import save_file


def sessions(count, generator):
    """The arrays of a shard, session after session."""
    states, actions, rewards, densities = [], [], [], []
    offsets, ends, finals, starts = [0], [], [], []
    for session in range(count):
        state = generator.uniform(-1, 1)
        for _ in range(10):
            action = generator.uniform(-1, 1)
            reward = 1 - (action - state / 2) ** 2
            states.append([state])
            actions.append([action])
            rewards.append(reward)
            densities.append(-np.log(2))  # uniform on [-1, 1]
            left = generator.uniform() > 1 / (1 + np.exp(-2 * reward))
            state = np.clip(state + generator.normal(0, 0.2), -1, 1)
            if left:
                break
        offsets.append(len(states))
        ends.append(0 if left else 1)  # 0: the user left; 1: the log was cut
        finals.append([state])  # where a session that was cut goes on
        starts.append(1_700_000_000_000 + session * 60_000)
    return {
        "states": np.asarray(states, np.float32),
        "actions": np.asarray(actions, np.float32),
        "rewards": np.asarray(rewards, np.float32),
        "log_propensities": np.asarray(densities, np.float32),
        "session_offsets": np.asarray(offsets, np.int64),
        "session_end": np.asarray(ends, np.int64),
        "final_states": np.asarray(finals, np.float32),
        "start_time_ms": np.asarray(starts, np.int64),
        "user_hash": np.arange(count, dtype=np.uint64) % 97,
    }


def main():
    folder = pathlib.Path(sys.argv[1])
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 500
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    folder.mkdir(parents=True, exist_ok=True)
    save_file(sessions(count, np.random.default_rng(seed)), folder / "shard-00000.safetensors")
    manifest = {"format": "amalgam trajectories", "version": 1, "state": ["s"], "action": ["a"]}
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")


if __name__ == "__main__":
    main()
