/** A first graph: it needs no files but those that every installation has. */
export const exampleGraph = `{
  "name": "my first graph",
  "nodes": [
    {"id": "wait", "process": "sleep", "params": {"duration": 5}},
    {"id": "left", "command": ["echo", "left"], "deps": ["wait"]},
    {"id": "right", "command": ["echo", "right"], "deps": ["wait"]},
    {"id": "both", "barrier": true, "deps": ["left", "right"]}
  ]
}
`;
