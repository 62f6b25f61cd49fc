// Unit scatter, images: the mark of a unit whose image was not made yet, as the plot has it.

export function UnrenderedRing() {
  return <i class="tws-hollow" aria-hidden="true" />;
}
