"""Measures a committed network on labelled spaces: `evaluate.py NET.onnx SET [--split val] [--robust]`."""

from __future__ import annotations

import argparse
import io
import json
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from PIL import Image

from calibrate import interval, look_again, read_twice
from crop import network_input
from data import labelled_pictures, load_rgb
from second_look import SecondLook


def spoil(image: np.ndarray, how: str, rng: np.random.Generator) -> np.ndarray:
    """A picture as a worse camera would give it, same size except for `small`."""
    x = image.astype(np.float32)
    if how == "noise":
        x = x + rng.normal(0, 20, x.shape)
    elif how == "motion":
        x = cv2.filter2D(x, -1, np.full((1, 9), 1 / 9, np.float32))
    elif how == "jpeg20":
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, "JPEG", quality=20)
        return load_rgb(buffer)
    elif how == "half brightness":
        x = x * 0.5
    elif how == "low contrast":
        x = (x - 128) * 0.4 + 128
    elif how == "grey":
        x = np.repeat(x @ np.array([[0.299], [0.587], [0.114]], np.float32), 3, 2)
    elif how == "small":
        h, w = image.shape[:2]
        return np.asarray(Image.fromarray(image).resize((640, round(h * 640 / w)), Image.BILINEAR))
    return np.clip(x + 0.5, 0, 255).astype(np.uint8)


def probabilities(
    session: onnxruntime.InferenceSession, second: SecondLook, image: np.ndarray, quads: list[np.ndarray]
) -> np.ndarray:
    def logit(crop: np.ndarray) -> float:
        return session.run(None, {"crop": np.ascontiguousarray(crop)})[0].item()

    crops = [network_input(image, q.astype(np.float64))[None] for q in quads]
    z, mirrored = np.array([(logit(crop), logit(crop[..., ::-1])) for crop in crops]).T
    return 1 / (1 + np.exp(-look_again(read_twice(z, mirrored, 1, 0), image, quads, second)))


def measure(p: list[np.ndarray], y: list[np.ndarray], card: dict) -> dict[str, float]:
    pa, ya = np.concatenate(p), np.concatenate(y) > 0.5
    ok = (pa > 0.5) == ya
    answered = (pa < card["free_below"]) | (pa > card["occupied_above"])
    bins = np.minimum((pa * 15).astype(int), 14)
    ece = sum(abs((pa[bins == b] - ya[bins == b]).sum()) for b in range(15)) / len(pa)
    spans = [interval(q, card["dispersion"]) for q in p]
    return dict(
        pictures=len(p),
        spaces=len(pa),
        accuracy=ok.mean(),
        occupied_recall=ok[ya].mean() if ya.any() else float("nan"),
        free_recall=ok[~ya].mean() if (~ya).any() else float("nan"),
        answered_accuracy=ok[answered].mean(),
        unknown_share=1 - answered.mean(),
        count_mae=np.mean([abs((q > 0.5).sum() - t.sum()) for q, t in zip(p, y)]),
        ece=ece,
        coverage=np.mean([lo <= t.sum() <= hi for (lo, hi), t in zip(spans, y)]),
        mean_width=np.mean([hi - lo for lo, hi in spans]),
    )


def main() -> None:
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("net", type=Path)
    a.add_argument("set", type=Path)
    a.add_argument("--split")
    a.add_argument("--robust", action="store_true", help="also spoiled pictures")
    args = a.parse_args()
    card = json.loads(args.net.with_suffix(".json").read_text())
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(args.net), options, providers=["CPUExecutionProvider"])
    second = SecondLook()
    pictures = labelled_pictures(args.set, args.split)
    kinds = ["as is"] + (["noise", "motion", "jpeg20", "half brightness", "low contrast", "small", "grey"] if args.robust else [])
    for how in kinds:
        p, y, rng = [], [], np.random.default_rng(5)
        for pic in pictures:
            image = load_rgb(pic.path)
            seen = spoil(image, how, rng)
            scale = np.array([seen.shape[1] / image.shape[1], seen.shape[0] / image.shape[0]])
            p.append(probabilities(session, second, seen, [q * scale for q in pic.quads]))
            y.append(np.array(pic.labels))
        print(f"{how}: " + " ".join(f"{k} {v:.4f}" if isinstance(v, float) else f"{k} {v}" for k, v in measure(p, y, card).items()), flush=True)


if __name__ == "__main__":
    main()
