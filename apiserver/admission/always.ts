// Plug-ins that say the same to everything (admission plug-ins AlwaysAdmit and AlwaysDeny).

import { type AdmissionAttributes, type AdmissionOperation, type AdmissionPlugin, refusal } from './admission.ts';

const operations: readonly AdmissionOperation[] = ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'];

export const alwaysAdmit: AdmissionPlugin = { name: 'AlwaysAdmit', operations, admit() {}, validate() {} };

function deny(attributes: AdmissionAttributes): never {
  throw refusal(attributes, 'admission control is denying all modifications');
}

export const alwaysDeny: AdmissionPlugin = { name: 'AlwaysDeny', operations, admit: deny, validate: deny };
