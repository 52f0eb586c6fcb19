// A program that uses the package by its types; compiled by types.test.js, never run.
import { Demand, light, open, panel } from "fairzarr";

const store = await open("https://example.org/cells.ome.zarr");
const image = await store.image();
const aperture: number | undefined = image.summary?.objective?.NA;
const { data, shape }: { data: ArrayLike<number>; shape: number[] } = await image.read({ c: 0 });
const planes = await image.planes({ only: ["DeltaT"] });
const times = planes?.columns.DeltaT?.data;
const verdict = (await store.qc(Demand.parse("OpticalCalibration within 90 days"))).verdicts[0];
const outcome: "pass" | "fail" | "unknown" = verdict.outcome;
const colour: "green" | "red" | "grey" | undefined = image.summary && light(image.summary, "OpticalCalibration", 90);
const rows: [string, string | undefined][] = image.summary ? panel(image.summary).rows : [];
console.log(aperture, data, shape, times, outcome, colour, rows);
