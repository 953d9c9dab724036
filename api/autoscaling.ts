// The kinds of autoscaling/v1 and v2, with their wire types. Both versions name the same objects.

import type * as k from '@kubernetes/client-node';
import { defineKind } from './kind.ts';
import type { Wire } from './wire.ts';

export type HorizontalPodAutoscaler = Wire<k.V2HorizontalPodAutoscaler>;
export type HorizontalPodAutoscalerV1 = Wire<k.V1HorizontalPodAutoscaler>;
export type MetricSpec = Wire<k.V2MetricSpec>;
export type MetricStatus = Wire<k.V2MetricStatus>;
export type MetricTarget = Wire<k.V2MetricTarget>;
/** `tolerance` is newer than client-node's model. */
export type HpaScalingRules = Wire<k.V2HPAScalingRules> & { tolerance?: string };

const names = { group: 'autoscaling', kind: 'HorizontalPodAutoscaler', plural: 'horizontalpodautoscalers', shortNames: ['hpa'] };

export const horizontalPodAutoscalers = defineKind<HorizontalPodAutoscaler>({ ...names, version: 'v2', categories: ['all'] });
export const horizontalPodAutoscalersV1 = defineKind<HorizontalPodAutoscalerV1>({ ...names, version: 'v1', categories: ['all'] });
