using System.Data;
using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Data.Sqlite;

namespace Squall.Server;

/// <summary>
/// A connection that keeps its statements prepared: EF makes a command for each query and throws it away, and to
/// parse and plan a statement again costs more than to run it.
/// </summary>
internal sealed class PreparedConnection : SqliteConnection
{
    private const int StatementsMax = 100;
    private readonly Dictionary<string, SqliteCommand> _idle = [];

    public PreparedConnection(string text)
        : base(text) => Direct = new DirectStatements(this);

    /// <summary>Those that need no command.</summary>
    public DirectStatements Direct { get; }

    public override SqliteCommand CreateCommand() => new PreparedCommand(this);

    public override void Close()
    {
        Direct.Dispose();
        base.Close();
    }

    protected override DbCommand CreateDbCommand() => CreateCommand();

    private SqliteCommand Take(string sql) =>
        _idle.Remove(sql, out SqliteCommand? command) ? command : new SqliteCommand(sql, this);

    private void Return(SqliteCommand command)
    {
        command.Parameters.Clear();
        command.Transaction = null;
        if (_idle.Count >= StatementsMax)
        {
            foreach (SqliteCommand other in _idle.Values)
            {
                other.Dispose();
            }

            _idle.Clear();
        }

        if (!_idle.TryAdd(command.CommandText, command))
        {
            command.Dispose();
        }
    }

    /// <summary>
    /// Runs a kept statement with its own text and parameters, and gives it back when it is disposed.
    /// </summary>
    private sealed class PreparedCommand(PreparedConnection connection) : SqliteCommand
    {
        private string _text = "";
        private SqliteCommand? _statement;

        [AllowNull]
        public override string CommandText
        {
            get => _text;
            set
            {
                Release();
                _text = value ?? "";
            }
        }

        public override SqliteConnection? Connection
        {
            get => connection;
            set => throw new NotSupportedException();
        }

        public override SqliteTransaction? Transaction
        {
            get => connection.Transaction;
            set => _ = value; // A statement is run in the connection's, whatever it is told.
        }

        public override SqliteDataReader ExecuteReader(CommandBehavior behavior) => Ready().ExecuteReader(behavior);

        public override int ExecuteNonQuery() => Ready().ExecuteNonQuery();

        public override object? ExecuteScalar() => Ready().ExecuteScalar();

        public override void Prepare() => Ready().Prepare();

        protected override void Dispose(bool disposing)
        {
            Release();
            base.Dispose(disposing);
        }

        private SqliteCommand Ready()
        {
            _statement ??= connection.Take(_text);
            _statement.Transaction = connection.Transaction;
            _statement.Parameters.Clear();
            foreach (SqliteParameter parameter in Parameters)
            {
                _statement.Parameters.Add(parameter);
            }

            return _statement;
        }

        private void Release()
        {
            if (_statement is not null)
            {
                connection.Return(_statement);
                _statement = null;
            }
        }
    }
}
