using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Grpc.Core;

namespace Squall.Server;

/// <summary>
/// Hashes passwords: PBKDF2 with HMAC-SHA-512, its parameters kept with the hash so that they can be raised. Hashing is
/// the cheapest way to take a server down: few are done at a time, few wait, and the rest are refused.
/// </summary>
internal sealed class Passwords(Limits limits) : IDisposable
{
    private const string Algorithm = "pbkdf2-sha512";
    private const int Rounds = 210_000;
    private const int SaltBytes = 16;
    private const int HashBytes = 64;
    private const char Unnormal = '\uFFFE';
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _free = new(limits.HashesAtOnceMax);
    private int _taken;
    private long _hashes;

    /// <summary>How many were made since the start.</summary>
    public long Hashes => Interlocked.Read(ref _hashes);

    /// <summary>Whether a hash was made with parameters that were raised since.</summary>
    public static bool IsOutdated(string stored) => RoundsOf(stored.Split('$')) < Rounds;

    /// <summary>
    /// Whether two hashes are of the same choice of a password, which has its salt however often it is hashed again; or
    /// there is none in both.
    /// </summary>
    public static bool IsSame(string? stored, string? other) =>
        stored is null || other is null ? stored == other : stored.Split('$')[2] == other.Split('$')[2];

    /// <summary>
    /// A password that is chosen: 12 to 1,024 characters of any kind, and none that is easy to guess.
    /// </summary>
    /// <param name="names">The account's.</param>
    /// <exception cref="RpcException">INVALID_ARGUMENT.</exception>
    public void Check(string field, string password, params IEnumerable<string> names)
    {
        CheckSize(field, password);
        if (password.EnumerateRunes().Count() < limits.PasswordCharactersMin)
        {
            throw Fault.Field(field, "FIELD_TOO_SHORT", $"at least {limits.PasswordCharactersMin} characters");
        }

        if (WeakPassword.Reason(Normal(password), names) is { } reason)
        {
            throw Fault.Field(
                field, "PASSWORD_WEAK", $"{reason}: take a few words that have nothing to do with one another");
        }
    }

    /// <summary>A password that is tried: what is too long to be one is not hashed.</summary>
    /// <exception cref="RpcException">INVALID_ARGUMENT.</exception>
    public void CheckSize(string field, string password)
    {
        if (password.Length == 0)
        {
            throw Fault.Required(field);
        }

        int characters = 0;
        for (int at = 0; at < password.Length; at += char.IsSurrogatePair(password, at) ? 2 : 1, characters++)
        {
            if (char.IsSurrogate(password[at]) && !char.IsSurrogatePair(password, at))
            {
                throw Fault.Field(field, "CHARACTER_NOT_ALLOWED", "half a surrogate pair is no valid text");
            }
        }

        if (characters > limits.PasswordCharactersMax)
        {
            throw Fault.TooLong(field, limits.PasswordCharactersMax, "characters");
        }
    }

    /// <exception cref="RpcException">RESOURCE_EXHAUSTED: too many wait.</exception>
    public Task<string> HashAsync(string password, CancellationToken cancelled) =>
        HashAsync(password, RandomNumberGenerator.GetBytes(SaltBytes), cancelled);

    /// <summary>Hashes a password once more, with the parameters of now.</summary>
    /// <exception cref="RpcException">RESOURCE_EXHAUSTED: too many wait.</exception>
    public Task<string> RaiseAsync(string stored, string password, CancellationToken cancelled) =>
        HashAsync(password, Convert.FromBase64String(stored.Split('$')[2]), cancelled);

    /// <summary>
    /// Whether it is the password of <paramref name="stored"/>. For null, that of nobody, as much work is done.
    /// </summary>
    /// <exception cref="RpcException">RESOURCE_EXHAUSTED: too many wait.</exception>
    public Task<bool> VerifyAsync(string? stored, string password, CancellationToken cancelled)
    {
        string[] parts = stored?.Split('$') ?? [];
        int rounds = stored is null ? Rounds : RoundsOf(parts);
        byte[] salt = stored is null ? new byte[SaltBytes] : Convert.FromBase64String(parts[2]);
        byte[] expected = stored is null ? new byte[HashBytes] : Convert.FromBase64String(parts[3]);
        return InTurnAsync(
            () => CryptographicOperations.FixedTimeEquals(Derive(password, salt, rounds, expected.Length), expected)
                && stored is not null,
            cancelled);
    }

    /// <summary>U+FFFE is a character like any other, but .NET normalises no text that has it.</summary>
    public static string Normal(string password) => string.Join(
        Unnormal, password.Split(Unnormal).Select(part => part.Normalize(NormalizationForm.FormKC)));

    public void Dispose() => _free.Dispose();

    private Task<string> HashAsync(string password, byte[] salt, CancellationToken cancelled) =>
        InTurnAsync(
            () =>
            {
                byte[] hash = Derive(password, salt, Rounds, HashBytes);
                return string.Create(
                    CultureInfo.InvariantCulture,
                    $"{Algorithm}${Rounds}${Convert.ToBase64String(salt)}${Convert.ToBase64String(hash)}");
            },
            cancelled);

    private static int RoundsOf(string[] parts) => int.Parse(parts[1], CultureInfo.InvariantCulture);

    private static byte[] Derive(string password, byte[] salt, int rounds, int bytes) =>
        Rfc2898DeriveBytes.Pbkdf2(
            Encoding.UTF8.GetBytes(Normal(password)), salt, rounds, HashAlgorithmName.SHA512, bytes);

    private async Task<T> InTurnAsync<T>(Func<T> hash, CancellationToken cancelled)
    {
        if (Interlocked.Increment(ref _taken) > limits.HashesAtOnceMax + limits.HashesWaitingMax)
        {
            Interlocked.Decrement(ref _taken);
            throw Fault.Busy("HASHING_BUSY", "Too many passwords are being checked.", RetryAfter);
        }

        try
        {
            await _free.WaitAsync(cancelled);
            try
            {
                // On a thread of its own: the pool has about as many as there are cores, and two hashes would have
                // all other calls of a server with two cores wait for them.
                T made = await Task.Factory.StartNew(
                    hash, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
                Interlocked.Increment(ref _hashes);
                return made;
            }
            finally
            {
                _free.Release();
            }
        }
        finally
        {
            Interlocked.Decrement(ref _taken);
        }
    }
}
