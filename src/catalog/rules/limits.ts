import { positionIn } from '../../broker/template.ts';
import type { PlanView } from '../form/offering-file.ts';
import { readLimits } from '../limits.ts';
import { type Finding, mistake } from '../problem.ts';

/** What each limit comes to with what the plan fixes. */
export function limitFindings({ plan, at, words }: PlanView): readonly Finding[] {
  const { wrong } = readLimits(words.limits ?? {}, plan.with ?? {});
  return Object.entries(wrong).map(([name, reason]) => {
    const isOwn = plan.limits !== undefined && Object.hasOwn(plan.limits, name);
    return mistake(positionIn(isOwn ? positionIn(at, 'limits') : 'limits', name), reason);
  });
}
