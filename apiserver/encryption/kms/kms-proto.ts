// kms.proto, loaded.

import { fileURLToPath } from 'node:url';
import * as protoLoader from '@grpc/proto-loader';

const proto = protoLoader.loadSync(fileURLToPath(new URL('./kms.proto', import.meta.url)), { longs: Number, defaults: true });

export const keyManagementService = proto['v2.KeyManagementService'] as protoLoader.ServiceDefinition;
export const encryptedObjectMessage = proto['v2.EncryptedObject'] as protoLoader.MessageTypeDefinition<object, object>;
