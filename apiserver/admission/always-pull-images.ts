// Every pod's images are pulled anew, so that nobody runs what somebody else had the credentials for (admission plug-in
// AlwaysPullImages).

import type { Pod } from '../../api/core.ts';
import { notSupported } from '../../api/field-error.ts';
import { type AdmissionAttributes, type AdmissionPlugin, isPodWrite, plainError, refusal } from './admission.ts';

/** What names an image: a container, or a volume. */
interface ImageUser {
  image?: string | undefined;
  policy: string | undefined;
  /** `spec.containers[0].imagePullPolicy` */
  field: string;
  set(policy: string): void;
}

function imageUsersOf({ spec }: Pod): ImageUser[] {
  const users: ImageUser[] = [];
  for (const list of ['initContainers', 'containers', 'ephemeralContainers'] as const) {
    for (const [index, container] of (spec?.[list] ?? []).entries()) {
      const set = (policy: string) => {
        container.imagePullPolicy = policy;
      };
      users.push({ image: container.image, policy: container.imagePullPolicy, field: `spec.${list}[${index}].imagePullPolicy`, set });
    }
  }
  for (const [index, { image }] of (spec?.volumes ?? []).entries()) {
    if (!image) continue;
    const set = (policy: string) => {
      image.pullPolicy = policy;
    };
    users.push({ image: image.reference, policy: image.pullPolicy, field: `spec.volumes[${index}].image.pullPolicy`, set });
  }
  return users;
}

/** An update that brings no image in is none of our business. */
function bringsImages(attributes: AdmissionAttributes): boolean {
  if (!isPodWrite(attributes)) return false;
  const { object, old } = attributes;
  if (!old) return true;
  const known = new Set(imageUsersOf(old).map(({ image }) => image));
  return imageUsersOf(object as Pod).some(({ image }) => !known.has(image));
}

export const alwaysPullImages: AdmissionPlugin = {
  name: 'AlwaysPullImages',
  operations: ['CREATE', 'UPDATE'],
  handles: bringsImages,
  admit({ object }) {
    for (const user of imageUsersOf(object as Pod)) user.set('Always');
  },
  validate(attributes) {
    const problems = imageUsersOf(attributes.object as Pod)
      .filter(({ policy }) => policy !== 'Always')
      .map(({ field, policy }) => {
        const { message } = notSupported(field, policy ?? '', ['Always']);
        return refusal(attributes, `${field}: ${message}`).message;
      });
    if (problems.length) throw plainError(problems.length > 1 ? `[${problems.join(', ')}]` : (problems[0] as string));
  },
};
