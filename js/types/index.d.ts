export { FairzarrError } from "./error.js";
export { Image } from "./image.js";
export { Demand } from "./qc/demand.js";
export { FIRST_QUESTIONS, light, missing, panel } from "./panel.js";
export { imageQuality, judgeQuality } from "./qc/quality.js";
export { judge, judgeOthers } from "./qc/verdict.js";
export { open, Store } from "./store.js";
