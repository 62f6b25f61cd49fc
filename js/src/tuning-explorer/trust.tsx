// Tuning explorer: how far to trust the image at a point, in words.
// In: the cosine that it reached, the share of the data nearest to its point, and how readable its dimension was found.
// Out: a verdict on each, which open into what they mean.
import { decimal, percent } from "../shared/format";
import { isHardlyAny, sharesOf } from "./data-near-points";
import type { Dimension, Readability } from "./film";
import { DataMark } from "./legend";

/** Cosines whose squares are a half and a tenth: so much of the response, by squared length, lies along what was wanted. */
const WELL = Math.SQRT1_2;
const HARDLY = Math.sqrt(0.1);

export type Degree = "well" | "partly" | "hardly";

export function alignment(cosine: number): Degree {
  return cosine >= WELL ? "well" : cosine >= HARDLY ? "partly" : "hardly";
}

const along = (cosine: number) => percent(Math.max(0, cosine) ** 2);

export function Trust({ dimension, point }: { dimension: Dimension; point: number }) {
  const cosine = dimension.cosine[point] ?? null;
  const shares = sharesOf(dimension);
  const share = shares[point];
  const few = isHardlyAny(share, shares.length);
  const { readability } = dimension;
  if (cosine === null && share === undefined && !readability) return null;
  return (
    <details class="twe-trust">
      <summary title="How far to trust this image; press for what the words mean">
        {cosine === null ? null : <Alignment cosine={cosine} />}
        {share === undefined ? null : (
          <span class="twe-verdict">
            <DataMark few={few} />
            {few ? "hardly any data here" : `${percent(share)} of the data here`}
          </span>
        )}
        {readability ? (
          <span class="twe-verdict" data-degree={isReadable(readability) ? "well" : "hardly"}>
            <i aria-hidden="true" />
            {isReadable(readability) ? "readable" : "read no better than random axes"}
          </span>
        ) : null}
      </summary>
      {cosine === null ? null : <p>{alignmentMeans(cosine)}</p>}
      {share === undefined ? null : (
        <p>
          {percent(share)} of the data lies nearer to this point than to any other. Hardly any: less than a
          tenth of an even share, {percent(0.1 / shares.length)} here. An image there shows what hardly ever
          occurs.
        </p>
      )}
      {readability ? <p>{readabilityMeans(readability)}</p> : null}
    </details>
  );
}

export function Alignment({ cosine }: { cosine: number }) {
  const degree = alignment(cosine);
  return (
    <span class="twe-verdict" data-degree={degree} title={alignmentMeans(cosine)}>
      <i aria-hidden="true" />
      {degree} aligned
    </span>
  );
}

function alignmentMeans(cosine: number): string {
  return `The layer’s response to this image has a cosine of ${decimal(cosine)} with the activity that this point stands for: ${along(cosine)} of it, by squared length, points that way. Well aligned: from ${decimal(WELL)}, a half. Hardly: below ${decimal(HARDLY)}, a tenth.`;
}

/** Above this p, a dimension is read no better than random axes. */
const READABLE = 0.05;

function isReadable({ p }: Readability): boolean {
  return p <= READABLE;
}

function readabilityMeans({ score, low, high, p, chance }: Readability): string {
  return `Of two real patches, an observer that knows nothing of the network told which lies further along this dimension with a mean probability of ${decimal(score)} [${decimal(low)}, ${decimal(high)}]; along random axes of the same subspace ${decimal(chance)}, by guessing ${decimal(0.5)}. p = ${decimal(p, 3)} after Holm’s correction. It does not say that the network uses the dimension, nor that its label is right.`;
}
