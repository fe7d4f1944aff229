#!/usr/bin/env python3
"""Recounts the states of KuaiRand's log from its events, each from scratch.

    amalgam logs convert Data/kuairand-pure/log_standard_4_25_to_5_08_pure.csv.gz \\
      --mapping Examples/kuairand/mapping-with-states.yaml --output kuairand-states
    .deps/python/bin/python3 Scripts/oracles/kuairand_states.py kuairand-states

Written from Docs/StateEncoder.md alone: no window slides and no count decays step by step. It prints
how many numbers were compared, and the largest difference after the scaling is undone. Histories keep
play integrity in steps of 1/60,000 and log watch seconds in steps of 1/4096, so these differ by up to
half a step. Numbers that the scaling clipped at 5 are left out. Needs numpy.
"""
import collections
import csv
import gzip
import json
import math
import sys

import numpy as np

BEHAVIORS = ("click", "long_view", "like", "follow", "comment", "forward", "hate", "profile_enter",
             "comment_stay")
WINDOWS = {"last_5": 5, "last_20": 20, "last_100": 100, "history": 500}
HALF_LIVES = (24, 168)
GAP = 30 * 60_000
HOUR = 3_600_000
VIDEOS = "Data/kuairand-pure/video_features_basic_pure.csv.gz"


def lines(path):
    with open(path) as file:
        return [json.loads(line) for line in file]


def share(events, holds):
    return sum(map(holds, events)) / len(events) if events else 0.0


def capped(hours):
    return math.log1p(720 if hours is None else min(max(hours, 0), 720))


def integrity(event):
    duration = event["duration_seconds"]
    return min(event["play_time_seconds"] / duration, 1) if duration > 0 else 0.0


def history(known, now, topics, named):
    """What the state tells of the interactions known at a time, oldest first."""
    found = {}
    for name, size in WINDOWS.items():
        window = known[-size:]
        for behavior in BEHAVIORS:
            found[f"{name}_{behavior}"] = share(window, lambda event: event[behavior] > 0)
        found[f"{name}_play_integrity"] = share(window, integrity)
        found[f"{name}_log_watch_seconds"] = share(
            window, lambda event: math.log1p(event["play_time_seconds"]))
    for half_life in HALF_LIVES:
        weights = [2 ** (-(now - event["time_ms"]) / (half_life * HOUR)) for event in known]
        for behavior in BEHAVIORS:
            kept = sum(w for w, event in zip(weights, known) if event[behavior] > 0)
            found[f"decay_{half_life}h_{behavior}"] = kept / sum(weights) if known else 0.0
        found[f"decay_{half_life}h_log_count"] = math.log1p(sum(weights))
    window = [topics.get(event["item_id"]) for event in known[-100:]]
    for topic in named:
        found[f"topic={topic}"] = share(window, lambda word: word == topic)
    found["topic=other"] = share(window, lambda word: word is not None and word not in named)
    likes = [event["time_ms"] for event in known if event["like"] > 0]
    found["history_log_hours_since_like"] = capped((now - max(likes)) / HOUR if likes else None)
    found["history_log_count"] = math.log1p(len(known))
    latest = max((event["time_ms"] for event in known), default=None)
    found["history_log_hours_since_last"] = capped(None if latest is None else (now - latest) / HOUR)
    return found


def session(start, now, since, before, known, requested):
    """What the state tells of the session that began at `start`."""
    own = [decision for decision in before if decision["time_ms"] >= start]
    events = [event for event in known if requested[event["request_id"]] >= start]
    shown = sum(len(decision["shown"]) for decision in own)
    angle = (now / HOUR + 8) % 24 / 24 * 2 * math.pi
    found = {
        "session_log_requests": math.log1p(len(own)),
        "session_log_impressions": math.log1p(shown),
        "session_log_minutes": math.log1p((now - start) / 60_000),
        "session_is_start": float(not own),
        "session_is_first": float(since is None),
        "session_log_hours_since_last": capped(None if since is None else since / HOUR),
        "hour_sine": math.sin(angle), "hour_cosine": math.cos(angle),
    }
    sums = {
        "play_minutes": sum(event["play_time_seconds"] for event in events) / 60,
        "play_integrity": sum(map(integrity, events)),
        "click": sum(event["click"] for event in events),
        "like": sum(event["like"] for event in events),
    }
    for signal, total in sums.items():
        found[f"session_{signal}"] = total / shown if shown else 0.0
    return found


def main():
    folder = sys.argv[1]
    with open(f"{folder}/schema.json") as file:
        schema = json.load(file)
    names = schema["state"]
    scale = schema["state_definition"]["statistics"]
    mean, deviation = np.array(scale["mean"]), np.array(scale["deviation"])
    with gzip.open(VIDEOS, "rt") as file:
        topics = {row["video_id"]: row["tag"] or None for row in csv.DictReader(file)}
    named = schema["state_definition"]["history"]["topics"]["values"]
    decisions, feedback = collections.defaultdict(list), collections.defaultdict(list)
    requested = {}
    for decision in lines(f"{folder}/decisions.jsonl"):
        decisions[decision["user_id"]].append(decision)
        requested[decision["request_id"]] = decision["time_ms"]
    for event in lines(f"{folder}/feedback.jsonl"):
        feedback[event["user_id"]].append(event)
    largest, count, compared = collections.Counter(), 0, 0
    for user, own in decisions.items():
        own.sort(key=lambda decision: decision["time_ms"])
        events = [(max(event["time_ms"], event["arrival_time_ms"], requested[event["request_id"]]),
                   event["time_ms"], event) for event in feedback[user]]
        events.sort(key=lambda item: item[:2])
        start = since = None
        for index, decision in enumerate(own):
            now, before = decision["time_ms"], own[:index]
            known = [event for at, _, event in events if at < now]
            active = max([event["time_ms"] for event in known]
                         + [earlier["time_ms"] for earlier in before], default=None)
            if start is None or now - active > GAP:
                start, since = now, None if active is None else now - active
            found = history(known, now, topics, named)
            found |= session(start, now, since, before, known, requested)
            scaled = np.array(decision["state"])
            state = scaled * deviation + mean
            for place, name in enumerate(names):
                if name in found and abs(scaled[place]) < 5:
                    largest[name] = max(largest[name], abs(state[place] - found[name]))
                    compared += 1
            count += 1
    print(f"{count} decisions, {compared} numbers of {len(largest)} features")
    print("not recounted:", ", ".join(name for name in names if name not in largest))
    for name, difference in largest.most_common(6):
        print(f"{name}: {difference:.2g}")


if __name__ == "__main__":
    main()
