import django.db.models.deletion
from django.db import migrations, models

# A campaign under way goes on where it was: what is left of it is one lot.
EN_COURS = """
INSERT INTO facturation_lotcampagne (campagne_id, de, a, familles, fait)
SELECT id, curseur + 1, 9223372036854775807, greatest(familles - faites, 0), false
FROM facturation_campagne WHERE etape IN ('PREPARATION', 'EMISSION')
"""


class Migration(migrations.Migration):
    dependencies = [("facturation", "0005_prelevements_retires")]

    operations = [
        migrations.CreateModel(
            name="LotCampagne",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("de", models.BigIntegerField()),
                ("a", models.BigIntegerField()),
                ("familles", models.PositiveIntegerField()),
                ("fait", models.BooleanField(default=False)),
                (
                    "campagne",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="lots",
                        to="facturation.campagne",
                    ),
                ),
            ],
            options={
                "verbose_name": "lot de familles",
                "verbose_name_plural": "lots de familles",
                "ordering": ["campagne", "de"],
                "constraints": [models.UniqueConstraint(fields=["campagne", "de"], name="un_lot_par_debut")],
            },
        ),
        migrations.RunSQL(EN_COURS, migrations.RunSQL.noop),
        migrations.RemoveField(model_name="campagne", name="curseur"),
        migrations.RemoveField(model_name="campagne", name="faites"),
    ]
