import { useEffect, useMemo } from 'preact/hooks';
import { GraphAttempts } from '../model/attempts.js';
import { LiveGraph } from '../model/live-graph.js';

/** A graph that is followed as long as the view is there. */
export function useLiveGraph(id: string): LiveGraph {
  const graph = useMemo(() => new LiveGraph(id), [id]);
  useEffect(() => {
    void graph.start();
    return () => graph.stop();
  }, [graph]);
  return graph;
}

/** Attempts of a graph, read while they are wanted. */
export function useAttempts(graph: LiveGraph, isWanted: boolean): GraphAttempts {
  const attempts = useMemo(() => new GraphAttempts(graph.id), [graph]);
  useEffect(() => {
    if (!isWanted) return;
    attempts.start(() => graph.state.value?.time_info.stopped != null);
    return () => attempts.stop();
  }, [attempts, graph, isWanted]);
  return attempts;
}
