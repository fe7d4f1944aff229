#!/usr/bin/env python3
"""Writes decisions.csv and feedback.jsonl.gz of this folder: a synthetic log of a small feed.

Standard library only, and the same rows every time: the seed is fixed. Column names and units are
those of nobody's service, and unlike this project's on purpose. What it assumes of users is only
what it takes to have something to learn: half of them stay for items they like, the others for
items they watch long.
"""
import csv
import datetime
import gzip
import json
import math
import pathlib
import random

SEED = 20_240_603
USERS, DAYS = 40, 14
START = 1_717_344_000  # 2 June 2024, 16:00 UTC: midnight in the feed's time zone
ZONE = datetime.timezone(datetime.timedelta(hours=8))
MEAN, DEVIATION, LOWER, UPPER = 1.0, 0.4, 0.0, 2.0  # of every weight, truncated to its bounds


def truncated_normal(draw):
    """One weight and its density."""
    while True:
        weight = draw.gauss(MEAN, DEVIATION)
        if LOWER <= weight <= UPPER:
            break
    cut = math.erf((UPPER - MEAN) / (DEVIATION * math.sqrt(2)))  # the bounds are symmetric
    weight = round(weight, 6)
    z = (weight - MEAN) / DEVIATION
    return weight, math.exp(-z * z / 2) / (DEVIATION * math.sqrt(2 * math.pi) * cut)


def iso(seconds):
    return datetime.datetime.fromtimestamp(seconds, ZONE).isoformat(timespec="milliseconds")


def candidates(draw):
    """Twelve items with predicted click and like probabilities and dwell seconds."""
    items = []
    for _ in range(12):
        click = 1 / (1 + math.exp(-draw.gauss(-0.4, 0.9)))
        like = 1 / (1 + math.exp(-draw.gauss(-2.2, 1.1)))
        dwell = math.exp(draw.gauss(2.3, 0.7))
        items.append((f"d{draw.randrange(900):03d}", round(click, 4), round(like, 4), round(dwell, 2)))
    return list({item[0]: item for item in items}.values())


def main():
    folder = pathlib.Path(__file__).parent
    draw = random.Random(SEED)
    decisions, feedback, request = [], [], 0
    for user in range(USERS):
        likes_rule = user % 2 == 0
        for day in range(DAYS):
            if draw.random() > 0.6:
                continue
            hour = draw.randrange(8, 23)
            now = START + day * 86_400 + hour * 3600 + draw.random() * 3000
            depth = 0
            while depth < 12:
                weights, density = [], 1.0
                for _ in range(3):
                    weight, factor = truncated_normal(draw)
                    weights.append(weight)
                    density *= factor
                items = candidates(draw)
                items.sort(
                    key=lambda i: -sum(w * math.log(s + 0.1) for w, s in zip(weights, i[1:])))
                shown = items[:3]
                request += 1
                decisions.append(
                    [f"q{request}", f"m{user:02d}", f"{now:.3f}", "ranker-7",
                     "wide" if day % 2 else "narrow", hour, depth, 1 if likes_rule else 0, *weights,
                     f"{density:.8g}", "|".join(i[0] for i in shown),
                     json.dumps([list(i[1:]) for i in shown], separators=(",", ":"))])
                at, joy = now, 0.0
                for rank, (item, click, like, dwell) in enumerate(shown, 1):
                    clicked = draw.random() < click
                    length = round(dwell * draw.uniform(1, 3) * 1000)
                    watched = min(round(dwell * draw.uniform(0.2, 1.6) * 1000), 2 * length)
                    watched = watched if clicked else draw.randrange(0, 1500)
                    stars = 5 if draw.random() < like * (1.6 if likes_rule else 0.6) else draw.randrange(0, 4)
                    reaction = draw.choice(["share", "send"]) if draw.random() < like / 4 else "none"
                    at += watched / 1000 + 0.2
                    joy += (1.2 if stars > 3 else -0.2) if likes_rule else watched / 12_000 - 0.4
                    feedback.append(
                        {"request": f"q{request}", "doc": item, "rank": rank, "at": iso(at),
                         "received": iso(at + 0.4), "dwell_ms": watched, "length_ms": length,
                         "clicked": clicked, "stars": stars, "reaction": reaction})
                if draw.random() > 1 / (1 + math.exp(-0.7 - joy)):
                    break
                depth += 1
                now = at + draw.uniform(1, 60)
    decisions.sort(key=lambda row: float(row[2]))
    with open(folder / "decisions.csv", "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(
            ["rid", "member", "ts", "ranker", "bucket", "local_hour", "depth", "starrer", "w_click",
             "w_like", "w_dwell", "density", "slate", "predicted"])
        writer.writerows(decisions)
    text = "".join(json.dumps(row, separators=(",", ":")) + "\n" for row in feedback)
    with open(folder / "feedback.jsonl.gz", "wb") as file:
        with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as packed:
            packed.write(text.encode())


if __name__ == "__main__":
    main()
