// The pod's volumes. One that cannot be set up yet is told in an event, and tried again.

import { podFacts, recordPodEvent } from '../context.ts';
import { VolumeError } from '../volumes/volumes.ts';
import type { PodPhase } from './phase.ts';

export const volumesPhase: PodPhase = {
  name: 'volumes',
  async run(start) {
    const { context, pod } = start;
    try {
      start.volumes = await context.volumes.setUp(pod, podFacts(context, start.podIps));
    } catch (error) {
      if (error instanceof VolumeError) {
        recordPodEvent(context, pod, 'Warning', 'FailedMount', `MountVolume.SetUp failed for volume "${error.volume}" : ${error.message}`);
      }
      throw error;
    }
  },
};
