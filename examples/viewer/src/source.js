// The levels of an image as Viv's pixel sources: samples come from the reader, whatever the version of NGFF.

import { SIGNAL_ABORTED } from "@vivjs/loaders";

const TYPES = {
  uint8: "Uint8", uint16: "Uint16", uint32: "Uint32", int8: "Int8", int16: "Int16", int32: "Int32", float32: "Float32", float64: "Float64",
};

/** Types that no graphics card knows, by those that hold their values. */
const HELD_BY = { bool: Uint8Array, float16: Float32Array, int64: Float64Array, uint64: Float64Array };

/** Greatest side of a tile: what is asked of the graphics card at once. */
const GREATEST = 1024;

/**
 * One source for each level, the full resolution first.
 * @param {import("fairzarr").Image} image
 */
export async function sources(image) {
  const labels = image.axes.map((axis) => axis.name);
  const arrays = await Promise.all(image.levels.map((_, level) => image.array(level)));
  const Holder = HELD_BY[arrays[0].dtype];
  const dtype = TYPES[arrays[0].dtype] ?? Holder?.name.replace("Array", "");
  if (!dtype) throw new Error(`samples of type ${arrays[0].dtype} cannot be drawn`);
  const [height, width] = arrays[0].chunks.slice(-2);
  const tileSize = Math.min(GREATEST, 2 ** Math.floor(Math.log2(Math.max(64, Math.min(height, width)))));
  return arrays.map((array, level) => {
    const read = async (selection, x, y, signal) => {
      const at = Object.fromEntries(labels.slice(0, -2).map((name) => [name, selection[name] ?? 0]));
      // What Viv expects of a tile that it no longer wants.
      const { data, shape } = await image.read({ ...at, ...(x && { x, y }) }, { level, signal }).catch((error) => {
        throw signal?.aborted ? SIGNAL_ABORTED : error;
      });
      return { data: Holder ? Holder.from(data, Number) : data, height: shape[0], width: shape[1] };
    };
    const { shape } = array;
    const clip = (n, size) => [n * tileSize, Math.min((n + 1) * tileSize, size)];
    return {
      shape, labels, dtype, tileSize,
      getRaster: ({ selection, signal }) => read(selection, undefined, undefined, signal),
      getTile: ({ x, y, selection, signal }) => read(selection, clip(x, shape.at(-1)), clip(y, shape.at(-2)), signal),
      onTileError: (error) => {
        if (error !== SIGNAL_ABORTED) console.error(error);
      },
    };
  });
}

/** How channels are shown at first: those of `omero`, or white from the least to the greatest value of the type. */
export async function appearance(image, dtype) {
  const axis = image.axes.findIndex((axis) => axis.name === "c");
  const count = axis < 0 ? 1 : (await image.array()).shape[axis];
  const bits = Number(/\d+$/.exec(dtype)?.[0] ?? 8);
  const [least, greatest] = dtype.startsWith("Float") ? [0, 1] : dtype.startsWith("Int") ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1];
  return Array.from({ length: count }, (_, n) => {
    const { label, color = "FFFFFF", window: w, active = true } = image.channels[n] ?? {};
    const limits = [w?.start ?? least, w?.end ?? greatest];
    const range = [Math.min(w?.min ?? least, limits[0]), Math.max(w?.max ?? greatest, limits[1])];
    return { index: n, name: label || `channel ${n}`, color, limits, range, visible: active };
  });
}

export const rgb = (hex) => [0, 2, 4].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
