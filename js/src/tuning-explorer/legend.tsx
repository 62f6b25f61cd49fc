// Tuning explorer: what the marks over the rows' sliders mean.
// Out: the two marks, and a line that names them.

export function DataMark({ few }: { few: boolean }) {
  return (
    <svg class="twe-data-mark" viewBox="0 0 22 12" aria-hidden="true">
      {few ? (
        <path class="twe-few" d="M3 10H22" />
      ) : (
        <path class="twe-bars" d="M1 12V8H7V12ZM8 12V1H14V12ZM15 12V6H21V12Z" />
      )}
    </svg>
  );
}

export function Legend() {
  return (
    <p class="tw-quiet twe-legend">
      <span>
        <DataMark few={false} /> data nearest to each point
      </span>
      <span>
        <DataMark few /> hardly any data
      </span>
    </p>
  );
}
