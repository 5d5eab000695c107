/** A command that the device or its driver refuses; `hca/driver` turns it into a `VerbsError`. */
export class DeviceError extends Error {
  readonly code: 'EINVAL' | 'ENOMEM' | 'ENOSPC' | 'EBUSY' | 'EAGAIN' | 'EFAULT' | 'EOPNOTSUPP' | 'EIO';
  readonly hint: string;

  constructor(code: DeviceError['code'], message: string, hint = '') {
    super(message);
    this.name = 'DeviceError';
    this.code = code;
    this.hint = hint;
  }
}
