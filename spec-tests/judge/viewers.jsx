// A page that opens a store with Viv's own loader, as its documentation shows; spec-tests/judge/viewers.mjs builds it.
import { loadOmeZarr, VivViewer, getDefaultInitialViewState, DetailView, DETAIL_VIEW_ID } from "@hms-dbmi/viv";
import { createRoot } from "react-dom/client";

const source = new URLSearchParams(location.search).get("source");
const size = { width: innerWidth, height: innerHeight };
const { data, metadata } = await loadOmeZarr(new URL(source, location.href).href, { type: "multiscales" });
const { channels } = metadata.omero;
const props = {
  loader: data,
  selections: channels.map((_, c) => ({ t: 0, c, z: 0 })),
  contrastLimits: channels.map(({ window: w }) => [w.start, w.end]),
  colors: channels.map(({ color }) => [0, 2, 4].map((at) => Number.parseInt(color.slice(at, at + 2), 16))),
  channelsVisible: channels.map(() => true),
};
const view = new DetailView({ id: DETAIL_VIEW_ID, ...size });
const state = { ...getDefaultInitialViewState(data, size, 0.3), id: DETAIL_VIEW_ID };
createRoot(document.getElementById("app")).render(<VivViewer layerProps={[props]} views={[view]} viewStates={[state]} />);
