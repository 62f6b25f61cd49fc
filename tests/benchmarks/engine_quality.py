"""Time to Lucent's quality: seconds until our images drive their units as hard as Lucent's after its default steps.

Lucent's images are kept between runs (artifacts/benchmarks/lucent), for what it ends at does not hang on how busy the
machine is; its seconds are measured anew in every run, on the whole network.
"""

import argparse
import statistics
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from engine_common import OUT, SIZE, console, network, show, timed
from lucent_peer import lucent_image
from picture_measures import spectral_energy
from PIL import Image

import tunewidgets as tw

GRID = (6, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 64, 96, 128)


def constant_best(probe: tw.Probe) -> np.ndarray:
    """Every unit's activation on its best of 125 constant colors."""
    levels = torch.linspace(0, 1, 5)
    colors = torch.stack(torch.meshgrid(levels, levels, levels, indexing="ij"), -1).reshape(-1, 3)
    images = colors[:, :, None, None].expand(-1, 3, SIZE, SIZE)
    return np.max(
        [probe.rectified(images[i : i + 25]).mean((2, 3)).amax(0).numpy() for i in range(0, 125, 25)], axis=0
    )


def picture_noise(images: np.ndarray) -> tuple[float, float]:
    """Mean total variation, and the share of spectral energy above half the Nyquist frequency."""
    gray = images.mean(-1)
    variation = np.abs(np.diff(gray, axis=1)).mean() + np.abs(np.diff(gray, axis=2)).mean()
    fine, whole = spectral_energy(images)
    return float(variation), float(fine.sum() / whole.sum())


def quality(options: argparse.Namespace) -> dict[str, Any]:
    """Time until our images drive their units as hard as Lucent's images after its default 512 steps do."""
    net, weights = network()
    seeds = tuple(options.seeds[: 1 if options.quick else None])
    rows = []
    for layer in options.layers:
        probe = tw.Probe(net, layer, device="cpu")
        units = chosen_units(probe, options)
        peers = {"default": None} if options.quick else {"default": None, "fixed 128": SIZE}
        reached, spent, pictures = {}, {}, {}
        for peer, fixed in peers.items():
            # The fairer setting is there for comparison: one seed and every fourth unit do, the rest stays NaN.
            used, asked = (seeds, units) if fixed is None else (seeds[:1], units[::4])
            images = {(s, u): peer_image(net, weights, layer, u, s, fixed) for s in used for u in asked}
            values = np.full((len(used), len(units)), np.nan)
            for (seed, unit), image in images.items():
                values[used.index(seed), units.index(unit)] = peer_value(probe, unit, image)
            times = [
                lucent_image(net, f"network_{layer}:{unit}", SIZE, 512, 0, fixed)[1] for unit in units[:2]
            ]
            pictures[peer] = np.stack([images[seeds[0], u][0].permute(1, 2, 0).numpy() for u in asked])
            reached[peer] = values.mean(0)
            spent[peer] = statistics.median(times)
            console.print(
                f"[dim]{layer}, {peer}: Lucent {spent[peer]:.1f} s a unit, reaches {reached[peer].round(1)}"
            )
        floor = constant_best(probe)[units]
        for peer, wanted in reached.items():
            steps, seconds, ours, made = time_to(probe, units, wanted, floor, seeds)
            row = {
                "layer": layer,
                "peer": peer,
                "Lucent, s a unit": spent[peer],
                "ours, s a unit": seconds / len(units),
                "times faster": spent[peer] / (seconds / len(units)),
                "steps": steps,
                "ms an image-step": seconds / len(units) / steps * 1e3,
                "Lucent, ms a step": spent[peer] / 512 * 1e3,
                "activation, ours/Lucent's": float(ours[wanted >= 0].mean() / np.nanmean(wanted)),
                "least unit": float(np.min(ours[wanted > 0] / wanted[wanted > 0])),
                "against constant": float((ours / np.maximum(floor, 1e-9)).min()),
            }
            if peer == "default":
                theirs = pictures[peer]
                full = tw.visualize(
                    probe, tw.AM(units), size=SIZE, floats=True, progress=False
                ).image_float.values
                # A unit that died in Lucent leaves a gray image, as smooth as can be: those are left out of "alive".
                alive = np.array([float(t.std()) > 0.02 for t in theirs])
                for name, images in (("ours", made), ("128 steps", full), ("Lucent's", theirs)):
                    for kept, some in (("all", images), ("alive", images[alive])):
                        noise = picture_noise(some)
                        row |= {
                            f"variation, {name}, {kept}": noise[0],
                            f"high freq, {name}, {kept}": noise[1],
                        }
                row["Lucent's died"] = int((~alive).sum())
                save_sheet(layer, made, full, theirs)
            rows.append(row)
    columns = list(rows[0])
    show(
        f"Time to Lucent's quality, GoogLeNet with {weights}, {SIZE} px",
        [{c: r.get(c, "") for c in columns[:11]} for r in rows],
    )
    for measure in ("variation", "high freq"):
        shown = [c for c in columns[11:] if c.startswith((measure, "Lucent's died"))]
        titles = {c: c.removeprefix(f"{measure}, ") for c in shown}
        show(
            f"Pictures: {measure}",
            [
                {"layer": r["layer"]} | {titles[c]: r[c] for c in shown}
                for r in rows
                if r["peer"] == "default"
            ],
        )
    return {"weights": weights, "rows": rows}


def peer_image(
    net: torch.nn.Module, weights: str, layer: str, unit: int, seed: int, fixed: int | None
) -> torch.Tensor:
    """The image `(1, 3, 128, 128)` that Lucent ends at, on a network that stops after the layer; kept between runs."""
    kept = OUT / "lucent" / f"{weights.split()[0]}-{layer}-{unit}-{seed}-{fixed or 'default'}.npz"
    if not kept.exists():
        image, _ = lucent_image(net, f"network_{layer}:{unit}", SIZE, 512, seed, fixed, last=layer)
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(kept, image=image.numpy())
    return torch.from_numpy(np.load(kept)["image"])


def peer_value(probe: tw.Probe, unit: int, image: torch.Tensor) -> float:
    """A unit's activation on Lucent's image, the better of its native size and its 224-px view."""
    view = F.interpolate(image, size=224, mode="bilinear", align_corners=True)
    return max(float(probe.rectified(x)[0, unit].mean()) for x in (image, view))


def chosen_units(probe: tw.Probe, options: argparse.Namespace) -> list[int]:
    """Eight units from all over the layer."""
    return [i * probe.units // 8 for i in range(8)][:: 4 if options.quick else 1]


def peer(options: argparse.Namespace) -> dict[str, Any]:
    """Only Lucent's images, kept for `quality`; first a check that stopping after the layer leaves them the same."""
    net, weights = network()
    for layer in options.layers:
        stopped, whole = (
            lucent_image(net, f"network_{layer}:0", SIZE, 3, 0, None, last)[0] for last in (layer, None)
        )
        if not torch.equal(stopped, whole):
            raise SystemExit(f"{layer}: Lucent's image is another where the network stops after the layer")
    for layer in options.layers:
        units = chosen_units(tw.Probe(net, layer, device="cpu"), options)
        wanted = [(unit, seed, None) for seed in options.seeds for unit in units]
        wanted += [(unit, 0, SIZE) for unit in units[::4] if 0 in options.seeds]
        for unit, seed, fixed in wanted:
            _, seconds = timed(peer_image, net, weights, layer, unit, seed, fixed)
            console.print(f"[dim]{layer}:{unit}, seed {seed}, {fixed or 'default'}: {seconds:.0f} s")
    return {"stopped and whole": "bitwise the same"}


def time_to(
    probe: tw.Probe, units: list[int], wanted: np.ndarray, floor: np.ndarray, seeds: tuple[int, ...]
) -> tuple[int, float, np.ndarray, np.ndarray]:
    """The first number of steps whose images meet the peer's, with the median time of a whole call of `visualize`."""
    tw.visualize(probe, tw.AM(units), size=SIZE, steps=2, progress=False)
    for steps in GRID:
        runs = [
            timed(
                lambda seed=seed, steps=steps: tw.visualize(
                    probe, tw.AM(units), size=SIZE, steps=steps, seed=seed, floats=True, progress=False
                )
            )
            for seed in seeds
        ]
        ours = np.mean([made.response.values[range(len(units)), units] for made, _ in runs], axis=0)
        known = ~np.isnan(wanted)
        reached = ours[known].mean() >= wanted[known].mean() and (ours >= 0.8 * wanted)[known].all()
        # A color at the very end of its range is out of the sigmoid's reach: a thousandth stands for that.
        if reached and (ours >= 0.999 * floor).all():
            again = [
                timed(
                    lambda steps=steps: tw.visualize(
                        probe, tw.AM(units), size=SIZE, steps=steps, progress=False
                    )
                )[1]
                for _ in range(3)
            ]
            return steps, statistics.median([t for _, t in runs] + again), ours, runs[0][0].image_float.values
    raise SystemExit(f"{probe.layer}: {GRID[-1]} steps do not reach Lucent's activation; show the trajectory")


def save_sheet(layer: str, made: np.ndarray, full: np.ndarray, theirs: np.ndarray) -> None:
    """Three rows: ours at the steps of the table, ours after 128, Lucent's after 512."""
    OUT.mkdir(parents=True, exist_ok=True)
    rows = [np.concatenate(list(images), axis=1) for images in (made, full, theirs)]
    Image.fromarray((np.concatenate(rows) * 255).astype(np.uint8)).save(OUT / f"sheet-{layer}.png")
