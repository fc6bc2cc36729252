/** How the files of `units/` are named. */

/** A unit (`tappass-x.service.hbs`), or a folder with drop-ins of ours for a unit of somebody else (`docker.service.d`). */
export const SERVICE_FILE = /^([a-z][a-z0-9@-]*)\.(service|socket|timer|path)(?:\.hbs|(\.d))?$/

/** What people call the template `tappass@.service` and its instances. */
export const GATEWAY_NAME = 'gateway'
