// Unit scatter, unit panel: a unit's mean activation by class.
// In: a unit, and one that stands beside it. Out: bars with the classes' names, of one scale for both.
import { classBars, className, countOf, type Layer, number } from "../data/units";

interface Props {
  layer: Layer;
  unit: number;
  beside: number | null;
}

export function ClassMeans({ layer, unit, beside }: Props) {
  if (!layer.means || unit >= countOf(layer)) return null;
  const bars = classBars(layer, unit);
  const values = layer.table.columns.preferred_class?.values;
  const preferred = Array.isArray(values) ? values[unit] : undefined;
  const best = typeof preferred === "number" ? className(layer, preferred) : "";
  const both = beside === null ? bars : [...bars, ...classBars(layer, beside)];
  const most = Math.max(...both.map((bar) => bar.mean), Number.MIN_VALUE);
  const rest = layer.classes.length - bars.length;
  return (
    <div class="tw-part">
      <h5 class="tw-heading">Mean activation by class</h5>
      <table class="tws-bars">
        <tbody>
          {bars.map((bar) => (
            <tr key={bar.name} class={bar.name === best ? "tws-best" : ""}>
              <th scope="row">{bar.name}</th>
              <td aria-hidden="true">
                <span style={{ width: `${(100 * Math.max(0, bar.mean)) / most}%` }} />
              </td>
              <td class="tws-number">{number(bar.mean)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {rest > 0 ? <p class="tw-quiet">and {rest} classes that it responds to less</p> : null}
    </div>
  );
}
