import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AdmissionConfigurationError, defaultPlugins, enabledPlugins } from './plugin-order.ts';

test('without flags the default plug-ins run; flags add and take away, and say nothing about the order', () => {
  assert.deepEqual(enabledPlugins({}), defaultPlugins);
  const chosen = enabledPlugins({ enable: ['AlwaysPullImages', 'NamespaceAutoProvision', 'LimitRanger'], disable: ['ResourceQuota'] });
  assert.deepEqual(chosen.slice(0, 4), ['NamespaceAutoProvision', 'NamespaceLifecycle', 'LimitRanger', 'ServiceAccount']);
  assert.ok(chosen.includes('AlwaysPullImages') && !chosen.includes('ResourceQuota'));
  assert.equal(chosen.length, defaultPlugins.length + 1);
});

const refused: [string, Parameters<typeof enabledPlugins>[0], string][] = [
  ['an unknown plug-in cannot be enabled', { enable: ['Foo'] }, 'enable-admission-plugins plugin "Foo" is unknown'],
  ['an unknown plug-in cannot be disabled', { disable: ['podsecurity'] }, 'disable-admission-plugins plugin "podsecurity" is unknown'],
  [
    'a plug-in cannot be both',
    { enable: ['Priority', 'LimitRanger'], disable: ['LimitRanger', 'Priority'] },
    '[LimitRanger Priority] in enable-admission-plugins and disable-admission-plugins overlapped',
  ],
  [
    'every problem is told',
    { enable: ['A'], disable: ['B'] },
    '[enable-admission-plugins plugin "A" is unknown, disable-admission-plugins plugin "B" is unknown]',
  ],
];
for (const [title, choice, message] of refused) {
  test(title, () => assert.throws(() => enabledPlugins(choice), new AdmissionConfigurationError(message)));
}
