from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('enfants', '0003_dossier_de_l_enfant'),
    ]

    operations = [
        migrations.CreateModel(
            name='JourFerie',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('jour', models.DateField(error_messages={'unique': 'Ce jour férié est déjà dans la liste.'}, unique=True, verbose_name='jour')),
                ('nom', models.CharField(max_length=60, verbose_name='nom')),
            ],
            options={
                'verbose_name': 'jour férié',
                'verbose_name_plural': 'jours fériés',
                'ordering': ['jour'],
            },
        ),
    ]
