// Tuning explorer: what the status region announces.
// In: the widget's state. Out: a sentence.

import { Announcements } from "../shared/announcements";
import { decimal } from "../shared/format";
import type { Explorer } from "./explorer";

export function describe(explorer: Explorer): string {
  const { film, state } = explorer;
  const dimension = film.dimensions[state.dimension];
  if (!dimension) return "";
  const title = explorer.title();
  if (dimension.status) return `${title}: ${dimension.status}`;
  if (explorer.combining) {
    const facts = explorer.combination?.facts;
    const reached =
      explorer.combination?.stage === "done" ? `; image finished, cosine ${decimal(facts?.cosine)}` : "";
    return `${title}: coordinate ${decimal(state.coordinates[state.dimension])}, all sliders together${reached}`;
  }
  if (state.playing) return `${title}: playing`;
  const point = explorer.point();
  const where = `point ${point + 1} of ${film.points}, coordinate ${decimal(dimension.coordinate[point])}`;
  return `${title}: ${where}, cosine ${decimal(dimension.cosine[point])}`;
}

export function Announcer({ explorer }: { explorer: Explorer }) {
  return <Announcements text={describe(explorer)} />;
}
