/** What a store, or a demand on it, has wrong. The message names the place, what was found and what was expected. */
export class FairzarrError extends Error {
  /** @param {string} message @param {ErrorOptions} [options] */
  constructor(message, options) {
    super(message, options);
    this.name = "FairzarrError";
  }
}
