// Unit scatter, images: the mark of a unit whose image was not made yet, the same as in the plot.

export function UnrenderedRing() {
  return <i class="tws-hollow" aria-hidden="true" />;
}
