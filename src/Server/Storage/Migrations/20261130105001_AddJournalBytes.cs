using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Squall.Server.Migrations
{
    /// <inheritdoc />
    public partial class AddJournalBytes : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<long>(
                name: "Bytes",
                table: "journal",
                type: "INTEGER",
                nullable: false,
                defaultValue: 0L);

            migrationBuilder.AddColumn<long>(
                name: "FloorTimeMicros",
                table: "journal",
                type: "INTEGER",
                nullable: false,
                defaultValue: 0L);

            // What is there is summed this once. 200: ChangeRow.OverheadBytes.
            migrationBuilder.Sql(
                """
                UPDATE journal SET "Bytes" =
                    (SELECT coalesce(sum(200 + length("Notification") + coalesce(length("Before"), 0)), 0) FROM changes)
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "Bytes",
                table: "journal");

            migrationBuilder.DropColumn(
                name: "FloorTimeMicros",
                table: "journal");
        }
    }
}
