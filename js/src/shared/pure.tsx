// Shared: components that render again only when a prop has changed.
// In: a function component. Out: the same component, skipped while its props stay identical.
import { Component, type ComponentChild } from "preact";

export function pure<P extends object>(draw: (props: P) => ComponentChild) {
  const Draw = draw as (props: P) => never;
  return class extends Component<P> {
    override shouldComponentUpdate(next: P): boolean {
      return (Object.keys({ ...this.props, ...next }) as (keyof P)[]).some(
        (key) => this.props[key] !== next[key],
      );
    }

    override render(props: P) {
      return <Draw {...props} />;
    }
  };
}
