using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Squall.Server.Migrations
{
    /// <inheritdoc />
    public partial class AddAccountDeletion : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<long>(
                name: "DeleteTimeMicros",
                table: "accounts",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.CreateIndex(
                name: "IX_accounts_DeleteTimeMicros",
                table: "accounts",
                column: "DeleteTimeMicros",
                filter: "\"DeleteTimeMicros\" IS NOT NULL");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "IX_accounts_DeleteTimeMicros",
                table: "accounts");

            migrationBuilder.DropColumn(
                name: "DeleteTimeMicros",
                table: "accounts");
        }
    }
}
