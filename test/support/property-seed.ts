/**
 * Property tests draw the same examples in every run, so that a run that passed passes again.
 *
 * `QF_SEED=N` draws others, `QF_SEED=random` new ones each time; `make fuzz` does that.
 */
import fc from "fast-check";

const SEED = 20_261_130;

const { QF_SEED } = process.env;
if (QF_SEED !== "random") fc.configureGlobal({ seed: QF_SEED === undefined ? SEED : Number(QF_SEED) });
