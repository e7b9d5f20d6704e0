import { proxyActivities } from '@temporalio/workflow';

const { nothing } = proxyActivities<{ nothing(index: number): Promise<number> }>({
  taskQueue: 'bench-activities',
  startToCloseTimeout: '1 minute',
});

/** So many activities one after another: what a step of a chain costs the server and both sides of the SDK. */
export async function chain(length: number): Promise<number[]> {
  const times: number[] = [];
  for (let index = 0; index < length; index++) {
    await nothing(index);
    times.push(Date.now());
  }
  return times;
}
