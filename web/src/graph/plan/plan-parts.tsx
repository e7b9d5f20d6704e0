import { useMemo, useState } from 'preact/hooks';
import type { Plan } from '../../../../src/client/types.js';
import { numberText, plural } from '../../ui/format.js';
import { Icon } from '../../ui/icon.js';
import { DrawingView } from '../drawing/drawing-view.js';
import type { GraphNode } from '../model/graph-model.js';
import { planModel } from './plan-model.js';

export function PlanFacts({ plan }: { plan: Plan }) {
  return (
    <dl class="facts plan-facts">
      <dt>Nodes</dt>
      <dd>
        {numberText(plan.nodes)}, {plural(plan.dependencies, 'dependency', 'dependencies')}
      </dd>
      <dt>Steps</dt>
      <dd>
        {numberText(plan.levels)} one after the other, at most {plural(plan.widest, 'node')} at the same time
      </dd>
      <dt>Queues</dt>
      <dd>
        <ul class="plain">
          {plan.queues.map(({ queue, nodes, served }) => (
            <li key={queue}>
              {queue}: {plural(nodes, 'node')}
              {served === false && (
                <strong class="unserved" data-tone="bad">
                  <Icon name="question" /> no worker serves it: these nodes would wait
                </strong>
              )}
            </li>
          ))}
        </ul>
      </dd>
    </dl>
  );
}

/** @param onSelect the place of a node in the document */
export function PlanDrawing({
  document,
  plan,
  onSelect,
}: {
  document: string;
  plan: Plan;
  onSelect: (at: number) => void;
}) {
  const model = useMemo(() => planModel(document, plan), [document, plan]);
  const [isCritical, setCritical] = useState(false);
  const path = useMemo(() => plan.critical_path.flatMap((id) => model.named(id)?.number ?? []), [model, plan]);
  return (
    <DrawingView
      key={document}
      model={model}
      version={model.version}
      criticalPath={isCritical ? path : null}
      onCriticalPath={setCritical}
      selected={null}
      textOf={taskOf}
      onSelect={({ members: [number = 0] }) => onSelect(number - 1)}
      onLeave={() => {}}
    />
  );
}

const taskOf = ({ message }: GraphNode) => message ?? '';
